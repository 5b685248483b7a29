"""The artifacts of `sam build` run in Lambda, and start without compiling."""

import os
import platform
import re
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from storefront import static_files
from tests.api_client import ROOT
from tests.artifacts import PATH, WITHOUT_ROOT_ACCESS, can_build, make_read_only, sam_build, unpack, zip_artifact
from tests.template.sam import functions, resources

EVERY_FUNCTION = resources("AWS::Serverless::Function", "AWS::Lambda::Function")

MACHINES = ("aarch64", "x86_64")

MAX_LAYER = 9 * 1024 * 1024
"""The size of the layer's zip, in bytes. Lambda accepts 50 MB, but a cold start downloads it."""

MAX_FUNCTION = 8 * 1024


pytestmark = pytest.mark.skipif(not can_build(), reason="sam build needs the functions' own Python, python3.13")


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the artifacts."""
    return sam_build(tmp_path_factory.mktemp("build"))


@pytest.fixture(scope="module")
def deployed(build: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer and a function as in Lambda: unpacked from SAM's zips, with their times, and read-only."""
    folder = tmp_path_factory.mktemp("deployed")
    unpack(zip_artifact(build / "CommonLayer", folder), folder / "opt")
    unpack(zip_artifact(build / "OrdersFunction", folder), folder / "task")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_built_template_repeats_what_the_source_writes_once(build: Path) -> None:
    # CloudFormation reads no anchors.
    built = (build / "template.yaml").read_text()
    assert not [one for one in yaml.scan(built) if isinstance(one, yaml.AnchorToken | yaml.AliasToken)]
    assert "<<:" not in built


def compiled_at_import(opt: Path, task: Path) -> set[str]:
    """The modules of the layer that Python compiles when it imports a handler."""
    # With -v, Python prints where the code of each module comes from.
    program = f"import sys; sys.path[:0] = ['{task}', '{opt / 'python'}']; import app"
    output = subprocess.run(
        [*WITHOUT_ROOT_ACCESS, "python3.13", "-I", "-S", "-v", "-c", program],
        env={"PATH": PATH},
        check=True,
        capture_output=True,
        text=True,
    ).stderr
    sources = re.findall(r"# code object from '?([^'\n]+)'?", output)
    in_layer = [Path(source) for source in sources if source.startswith(str(opt))]
    assert len(in_layer) > 100, output
    return {path.name for path in in_layer if path.suffix == ".py"}


@pytest.mark.parametrize("function", functions())
def test_a_built_handler_needs_only_its_folder_and_the_layer(build: Path, function: str) -> None:
    path = [str(build / function), str(build / "CommonLayer" / "python")]
    # With -I and -S, the path has only the standard library: no site-packages, no current folder.
    program = f"import sys; sys.path[:0] = {path}; import app; assert callable(app.lambda_handler)"
    subprocess.run(["python3.13", "-I", "-S", "-B", "-c", program], env={"PATH": PATH}, check=True)


def test_the_built_trigger_of_cognito_needs_no_layer(build: Path) -> None:
    program = f"import sys; sys.path.insert(0, '{build / 'StaffScopesFunction'}'); import app; app.lambda_handler"
    subprocess.run(["python3.13", "-I", "-S", "-B", "-c", program], env={"PATH": PATH}, check=True)


@pytest.mark.parametrize("function", EVERY_FUNCTION)
def test_a_built_function_is_small_and_contains_only_its_code(build: Path, function: str, tmp_path: Path) -> None:
    folder = EVERY_FUNCTION[function].get("CodeUri") or EVERY_FUNCTION[function]["Code"]
    assert {path.name for path in (build / function).iterdir()} == {path.name for path in (ROOT / folder).glob("*.py")}
    assert zip_artifact(build / function, tmp_path).stat().st_size < MAX_FUNCTION


def test_the_built_layer_contains_only_what_the_functions_need(build: Path, tmp_path: Path) -> None:
    layer = build / "CommonLayer" / "python"
    source = ROOT / "layers" / "common" / "python"
    assert [path.name for path in (build / "CommonLayer").iterdir()] == ["python"]
    for kind in ("*.sql", "*.py", "*.pem", "*.html", "*.css", "*.js", "*.json"):
        files = {path.relative_to(layer) for path in layer.glob(f"storefront/**/{kind}")}
        sources = {path.relative_to(source) for path in source.glob(f"storefront/**/{kind}")}
        # The console is only built from its other files.
        needed = {path for path in sources if "console" not in path.parts or path.suffix == ".py"}
        assert {path for path in files if "built" not in path.parts} == needed
    # In the source, this file is a link.
    assert (layer / "storefront" / "docs" / "openapi.json").read_bytes() == (
        ROOT / "docs" / "openapi.json"
    ).read_bytes()
    named = re.findall(r"^([\w-]+)==", (source / "requirements.txt").read_text(), re.MULTILINE)
    installed = {path.name.split("-")[0] for path in layer.glob("*.dist-info")}
    assert installed == {name.replace("-", "_") for name in named}
    assert not {"boto3", "botocore", "pytest", "tests", "local", "functions", "bin"} & {p.name for p in layer.iterdir()}
    assert zip_artifact(build / "CommonLayer", tmp_path).stat().st_size < MAX_LAYER


def test_the_built_layer_has_the_static_files_compressed(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = build / "CommonLayer" / "python" / "storefront" / "built"
    made = static_files.make()
    assert {path.name for path in folder.iterdir()} == {"index.json", *(file.etag for file in made.values())}
    monkeypatch.setattr(static_files, "BUILT", folder)
    monkeypatch.setattr(static_files, "make", lambda: pytest.fail("the files were compressed again"))
    loaded = static_files.load()
    # The builder's Python may compress a little differently.
    assert {path: file.text() for path, file in loaded.items()} == {path: file.text() for path, file in made.items()}


def test_the_built_layer_runs_on_x86_64_and_arm64(build: Path) -> None:
    native = list((build / "CommonLayer").rglob("*.so"))
    assert {path.name.split(".")[0] for path in native} == {"_pydantic_core"}
    assert sorted(path.name.split("-")[2] for path in native) == sorted(MACHINES)
    assert platform.machine() in MACHINES


def test_the_same_source_builds_the_same_layer(build: Path, tmp_path: Path) -> None:
    # A layer with other content makes a new version of each function, and runs the migrations again.
    again = sam_build(tmp_path) / "CommonLayer"
    assert contents(again) == contents(build / "CommonLayer")


def test_the_bytecode_of_the_deployed_layer_is_used(deployed: Path) -> None:
    before = sorted(deployed.rglob("*"))
    assert {datetime.fromtimestamp(path.stat().st_mtime, UTC).year for path in before if path.suffix == ".py"} == {1980}
    assert compiled_at_import(deployed / "opt", deployed / "task") == set()
    assert sorted(deployed.rglob("*")) == before


def test_bytecode_checked_by_time_would_not_be_used(deployed: Path, tmp_path: Path) -> None:
    opt = tmp_path / "opt"
    shutil.copytree(deployed / "opt", opt, copy_function=shutil.copyfile)
    for path in opt.rglob("*"):
        path.chmod(0o755)
    subprocess.run(["python3.13", "-m", "compileall", "-q", "-f", opt], env={"PATH": PATH}, check=True)
    for path in opt.rglob("*.py"):
        os.utime(path, (0, 0))
    make_read_only(opt)
    assert len(compiled_at_import(opt, deployed / "task")) > 100


def test_the_bytecode_contains_the_paths_in_lambda(build: Path) -> None:
    for compiled in (build / "CommonLayer").rglob("storefront/**/*.pyc"):
        content = compiled.read_bytes()
        # PEP 552: an unchecked hash.
        assert int.from_bytes(content[4:8], "little") == 0b01
        assert b"/opt/python/storefront/" in content
        assert str(build).encode() not in content
