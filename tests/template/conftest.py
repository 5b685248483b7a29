"""Fixtures for tests that run SAM CLI."""

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture
def sam_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment for the sam command that does not depend on how pytest was started."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("SAM_CLI_TELEMETRY", "0")
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
