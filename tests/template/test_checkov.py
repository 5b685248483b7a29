"""Checkov finds no weakness in the template, beside those that .checkov.yaml says why they are none."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.api_client import ROOT

# Of an environment of its own, which `make test` makes.
CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"
CONFIG = ".checkov.yaml"
"""Looked for in the folder that it is started in."""

pytestmark = pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not installed; `make test` installs it")


def check(folder: Path) -> str:
    """What it says with the configuration in a folder."""
    command = [str(CHECKOV), "--file", str(ROOT / "template.yaml")]
    return subprocess.run(command, cwd=folder, stdout=subprocess.PIPE, text=True, check=False).stdout


def test_the_template_has_no_weakness_without_a_reason() -> None:
    found = check(ROOT)
    assert re.search(r"^Passed checks: \d{3}, Failed checks: 0, Skipped checks: 0$", found, re.MULTILINE), found


def test_no_rule_is_skipped_without_need(tmp_path: Path) -> None:
    settings, rules = (ROOT / CONFIG).read_text().split("skip-check:")
    (tmp_path / CONFIG).write_text(settings)
    found = set(re.findall(r"Check: (CKV_\w+):", check(tmp_path)))
    assert sorted(found) == sorted(re.findall(r"^  - (CKV_\w+)", rules, re.MULTILINE))
