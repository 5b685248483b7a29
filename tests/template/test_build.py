"""What `sam build` makes of it is what Lambda can run."""

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shop import ROOT
from tests.template.sam import functions

PATH = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"


def works(command: str) -> bool:
    # pyenv has a command for versions that it has not chosen, which only says so.
    return shutil.which(command, path=PATH) is not None and not subprocess.call([command, "-c", ""], env={"PATH": PATH})


pytestmark = pytest.mark.skipif(not works("python3.13"), reason="sam build needs the functions' own Python, python3.13")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifacts, for this machine's processor, so that they can be imported."""
    folder = tmp_path_factory.mktemp("build")
    architecture = {"x86_64": "x86_64", "aarch64": "arm64"}[platform.machine()]
    options = ["--parameter-overrides", f"Architecture={architecture}"]
    subprocess.run(
        ["sam", "build", "--build-dir", str(folder / "build"), "--cache-dir", str(folder / "cache"), *options],
        cwd=ROOT,
        check=True,
        capture_output=True,
        env={**os.environ, "PATH": PATH, "AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"},
    )
    return folder / "build"


@pytest.mark.parametrize("function", functions())
def test_a_built_handler_is_imported_with_its_folder_and_the_layer_alone(build: Path, function: str) -> None:
    path = [str(build / function), str(build / "CommonLayer" / "python")]
    # -I and -S leave nothing on the path but the standard library: no site-packages, no current folder.
    program = f"import sys; sys.path[:0] = {path}; import app; assert callable(app.lambda_handler)"
    subprocess.run(["python3.13", "-I", "-S", "-B", "-c", program], env={"PATH": PATH}, check=True)


@pytest.mark.parametrize("function", functions())
def test_a_built_function_holds_its_handler_alone(build: Path, function: str) -> None:
    assert [path.name for path in (build / function).iterdir()] == ["app.py"]


def test_the_built_layer_holds_the_sql_and_no_sdk(build: Path) -> None:
    layer = build / "CommonLayer" / "python"
    source = ROOT / "layers" / "common" / "python"
    assert {p.relative_to(layer) for p in layer.glob("storefront/**/*.sql")} == {
        p.relative_to(source) for p in source.glob("storefront/**/*.sql")
    }
    assert not {"boto3", "botocore", "tests", "local", "functions"} & {path.name for path in layer.iterdir()}
