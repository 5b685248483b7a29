"""Checkov finds no weakness in the template. checkov.yaml gives a reason for each skipped rule."""

import re
import subprocess
from pathlib import Path

import pytest
from samcli.commands._utils.template import get_template_data
from samcli.yamlhelper import yaml_dump

from tests.api_client import ROOT

# `make test` installs it into a separate environment.
CHECKOV = ROOT / ".venv" / "checkov" / "bin" / "checkov"
CONFIG = Path(__file__).with_name("checkov.yaml")

pytestmark = pytest.mark.skipif(not CHECKOV.exists(), reason="checkov is not installed; `make test` installs it")


def check(config: Path, folder: Path) -> str:
    """Checkov's report with a configuration file on the template as SAM uploads it, without YAML's merges."""
    uploaded = folder / "template.yaml"
    uploaded.write_text(yaml_dump(get_template_data(str(ROOT / "template.yaml"))))
    command = [str(CHECKOV), "--config-file", str(config), "--file", str(uploaded)]
    return subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False).stdout


def test_checkov_finds_no_weakness_in_the_template(tmp_path: Path) -> None:
    found = check(CONFIG, tmp_path)
    assert re.search(r"^Passed checks: \d{3}, Failed checks: 0, Skipped checks: 0$", found, re.MULTILINE), found


def test_each_skipped_checkov_rule_would_fail(tmp_path: Path) -> None:
    settings, rules = CONFIG.read_text().split("skip-check:")
    config = tmp_path / CONFIG.name
    config.write_text(settings)
    found = set(re.findall(r"Check: (CKV_\w+):", check(config, tmp_path)))
    assert sorted(found) == sorted(re.findall(r"^  - (CKV_\w+)", rules, re.MULTILINE))
