"""Installs and builds the Node.js projects in .bench/, with the versions of their lock files."""

import os
import shutil
import subprocess
from pathlib import Path

from local.settings import ROOT

HERE = Path(__file__).parent
INSTALLED = ROOT / ".bench" / "products"

ENVIRONMENT = {
    "PATH": os.environ["PATH"],
    "HOME": os.environ.get("HOME", "/"),
    "NODE_ENV": "production",
    "VENDURE_DISABLE_TELEMETRY": "true",
    "MEDUSA_DISABLE_TELEMETRY": "true",
    # Both log in color only to a terminal, but their libraries also look at this.
    "NO_COLOR": "1",
}
"""The variables of all Node.js processes. Nothing else is inherited, such as the settings of a developer's shell."""


def install(name: str) -> Path:
    """Install and build a project, and return its folder."""
    folder = INSTALLED / name
    if not _is_current(HERE / name, folder):
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(HERE / name, folder)
        # The registry and the cache may be configured in variables. The tools for the build are development packages.
        run("npm", "ci", "--include=dev", folder=folder, environment={**os.environ, **ENVIRONMENT})
        run("npm", "run", "build", folder=folder, environment=ENVIRONMENT)
        (folder / "installed").touch()
    return folder


def _is_current(source: Path, folder: Path) -> bool:
    files = [file for file in source.rglob("*") if file.is_file()]
    return (folder / "installed").exists() and all(
        (copy := folder / file.relative_to(source)).exists() and copy.read_bytes() == file.read_bytes()
        for file in files
    )


def run(*command: str | Path, folder: Path, environment: dict[str, str]) -> None:
    """Run a command. Raises RuntimeError with the end of its output."""
    done = subprocess.run(
        command, cwd=folder, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{command!r} failed:\n{done.stdout[-3000:]}")
