"""A client generated from the API's description, with types, does what a shop does."""

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
    """A folder with the client and the program that uses it."""
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
    done = subprocess.run(
        [str(BIN / command), *arguments],
        cwd=folder,
        env={"PATH": path, "PYTHONPATH": str(folder)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_types_say_what_is_sent_and_answered(folder: Path) -> None:
    # Of the client's own files what is used; the generator's idea of a context manager is not strict.
    run("mypy", "--strict", "--follow-imports=silent", "client_story.py", folder=folder)


def test_it_orders_pays_and_cancels(folder: Path, guarded_url: str, data_dir: Path) -> None:
    run("python", "client_story.py", guarded_url, token(data_dir), folder=folder)
