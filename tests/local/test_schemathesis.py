"""Schemathesis makes requests from the API's description, right and wrong ones, and finds nothing to complain of.

All its checks run, and it follows the links that lead from one answer to the next request.
https://schemathesis.readthedocs.io/en/stable/reference/checks/
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from openapi.operations import OPERATIONS
from tests.local.stack import token
from tests.shop import ROOT
from tests.sizes import LONG, SEED

CONFIGURATION = ROOT / "tests" / "local" / ("schemathesis_long.toml" if LONG else "schemathesis.toml")

LINKS = {
    ("POST /api/products", "GET /api/products/{id}"),
    ("POST /api/products", "POST /api/orders"),
    ("POST /api/orders", "GET /api/orders/{id}"),
    ("POST /api/orders", "PUT /api/orders/{id}/status"),
}
"""Make a product, read it, order it; read the order, complete or cancel it."""


@pytest.mark.long
@pytest.mark.timeout(900)
def test_schemathesis_finds_nothing(guarded_url: str, data_dir: Path, tmp_path: Path) -> None:
    done = schemathesis(tmp_path, guarded_url, token(data_dir))
    print(f"TEST_SEED={SEED}")  # noqa: T201  pytest shows it where the test fails
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((tmp_path / "report.json").read_text())
    assert {name: phase["status"] for name, phase in report["phases"].items()} == dict.fromkeys(
        ("examples", "coverage", "fuzzing", "stateful"), "success"
    )
    assert report["operations"]["tested"] == len(OPERATIONS)
    assert report["failures"] == report["errors"] == []
    followed = re.findall(
        r'"id":"([A-Z]+ /\S+) -> \[\d+\] \S+ -> ([A-Z]+ /[^"]+)"', (tmp_path / "report.ndjson").read_text()
    )
    assert set(followed) >= LINKS


def schemathesis(folder: Path, url: str, bearer: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "schemathesis.cli"]
    command += ["--config-file", str(CONFIGURATION)]
    command += ["run", str(ROOT / "docs" / "openapi.json"), "--url", url, "--seed", str(SEED)]
    command += ["--report-json-path", str(folder / "report.json")]
    command += ["--report-ndjson-path", str(folder / "report.ndjson")]
    path = f"{ROOT}{os.pathsep}{ROOT / 'layers' / 'common' / 'python'}"
    # In a folder of its own, where it keeps what it has learned.
    environment = {**os.environ, "PYTHONPATH": path, "TOKEN": bearer}
    return subprocess.run(command, cwd=folder, env=environment, check=False, capture_output=True, text=True)
