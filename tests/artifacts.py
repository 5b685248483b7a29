"""The artifacts of `sam build`, unpacked from SAM's zips as in Lambda: with their times, in read-only folders."""

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

# Root can write to read-only folders unless it drops this capability.
WITHOUT_ROOT_ACCESS = ["setpriv", "--bounding-set", "-dac_override"] if os.geteuid() == 0 else []


def can_build() -> bool:
    """Whether Python 3.13 is installed, which `sam build` needs."""
    # pyenv also has a python3.13 command for a version that is not active. It fails when called.
    found = shutil.which("python3.13", path=PATH)
    return found is not None and not subprocess.call([found, "-c", ""], env={"PATH": PATH})


def sam_build(folder: Path) -> Path:
    """Build into a folder, and return the folder of the artifacts."""
    subprocess.run(
        ["sam", "build", "--build-dir", str(folder / "build"), "--cache-dir", str(folder / "cache")],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": PATH, "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"},
    )
    return folder / "build"


def zip_artifact(artifact: Path, folder: Path) -> Path:
    """Pack an artifact as SAM does, and return the zip."""
    return Path(make_zip_with_lambda_permissions(str(folder / artifact.name), str(artifact)))


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip as Lambda does, with the files' times and read-only."""
    with ZipFile(archive) as content:
        content.extractall(target)
        for member in content.infolist():
            timestamp = time.mktime((*member.date_time, 0, 0, -1))
            os.utime(target / member.filename, (timestamp, timestamp))
    make_read_only(target)


def make_read_only(folder: Path) -> None:
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555)
