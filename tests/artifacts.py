"""What `sam build` makes, as Lambda has it: out of SAM's zips, with their times, in folders that are read-only."""

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from zipfile import ZipFile

from samcli.lib.package.utils import make_zip_with_lambda_permissions

from tests.api_client import ROOT

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

# For root nothing is read-only, unless it gives that up.
AS_ANYBODY = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []


def can_build() -> bool:
    """Whether there is the functions' own Python, which `sam build` needs."""
    # pyenv has a command for versions that it has not chosen, which only says so.
    found = shutil.which("python3.13", path=PATH)
    return found is not None and not subprocess.call([found, "-c", ""], env={"PATH": PATH})


def sam_build(folder: Path) -> Path:
    """Build into a folder; the artifacts."""
    subprocess.run(
        ["sam", "build", "--build-dir", str(folder / "build"), "--cache-dir", str(folder / "cache")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": PATH, "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"},
    )
    return folder / "build"


def zipped(artifact: Path, folder: Path) -> Path:
    """An artifact's zip, as SAM makes it."""
    return Path(make_zip_with_lambda_permissions(str(folder / artifact.name), str(artifact)))


def unpack(archive: Path, target: Path) -> None:
    """Unpack as Lambda does."""
    with ZipFile(archive) as content:
        content.extractall(target)
        for member in content.infolist():
            timestamp = time.mktime((*member.date_time, 0, 0, -1))
            os.utime(target / member.filename, (timestamp, timestamp))
    make_read_only(target)


def make_read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555)
