"""A typed client, generated from the OpenAPI document, places, pays and cancels orders."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.api_client import ROOT
from tests.local.stack import token

BIN = Path(sys.executable).parent
DOCUMENT = ROOT / "docs" / "openapi.json"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client and a program that uses it."""
    folder = tmp_path_factory.mktemp("client")
    run(
        "openapi-python-client",
        "generate",
        "--path",
        str(DOCUMENT),
        "--meta",
        "none",
        "--fail-on-warning",
        "--output-path",
        str(folder / "storefront_client"),
        folder=folder,
    )
    (folder / "storefront_client" / "py.typed").touch()
    shutil.copy(ROOT / "tests" / "fixtures" / "client_story.py", folder)
    return folder


def run(command: str, *arguments: str, folder: Path) -> None:
    path = f"{BIN}{os.pathsep}{os.environ['PATH']}"
    result = subprocess.run(
        [str(BIN / command), *arguments],
        cwd=folder,
        env={"PATH": path, "PYTHONPATH": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stdout + result.stderr


def test_its_types_match_the_requests_and_responses(folder: Path) -> None:
    # Only the client's files that are used: the generator's context manager fails strict checks.
    run("mypy", "--strict", "--follow-imports=silent", "client_story.py", folder=folder)


def test_it_places_pays_and_cancels_orders(folder: Path, guarded_url: str, data_dir: Path) -> None:
    run("python", "client_story.py", guarded_url, token(data_dir), folder=folder)
