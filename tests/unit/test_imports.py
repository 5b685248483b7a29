"""Modules import in one direction, and startup imports no slow module."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api_client import ROOT

LAYER = ROOT / "layers" / "common" / "python"
FEATURES = ("orders", "payments", "products")
NOT_DEPLOYED = ("benchmarks", "local", "openapi", "tests", "functions")
SHARED = sorted(path for path in (LAYER / "storefront").rglob("*.py") if path.parent.name not in FEATURES)


def imported_modules(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", SHARED, ids=lambda path: path.name)
def test_shared_modules_do_not_import_features(path: Path) -> None:
    forbidden = tuple(f"storefront.{feature}" for feature in FEATURES)
    assert [name for name in imported_modules(path) if name.startswith(forbidden)] == []


@pytest.mark.parametrize("feature", FEATURES)
def test_features_do_not_import_each_other(feature: str) -> None:
    others = tuple(f"storefront.{other}" for other in FEATURES if other != feature)
    for path in (LAYER / "storefront" / feature).glob("*.py"):
        assert [name for name in imported_modules(path) if name.startswith(others)] == [], path


@pytest.mark.parametrize("folder", ["functions", "layers"])
def test_deployed_code_imports_only_deployed_code(folder: str) -> None:
    for path in (ROOT / folder).rglob("*.py"):
        assert [name for name in imported_modules(path) if name.split(".")[0] in NOT_DEPLOYED] == []


# The deployment function has no layer, and needs boto3.
with_the_layer = pytest.mark.parametrize(
    "function", sorted({path.name for path in (ROOT / "functions").iterdir()} - {"deployment"})
)


@with_the_layer
def test_a_function_folder_contains_only_app_py(function: str) -> None:
    folder = ROOT / "functions" / function
    assert [path.name for path in folder.iterdir() if path.name != "__pycache__"] == ["app.py"]


@with_the_layer
def test_startup_imports_no_slow_module(function: str) -> None:
    # All of these are installed here, as in Lambda. Only the code can keep them from being imported.
    program = (
        "import sys, app; from importlib.util import find_spec;"
        "heavy = ['boto3', 'botocore', 'aws_xray_sdk', 'urllib3', 'requests', 'asyncio', 'scramp', 'dateutil.parser',"
        "         'importlib.metadata', 'zipfile', 'aws_lambda_powertools.utilities.data_classes.s3_event'];"
        "found = [name for name in heavy if name in sys.modules]; assert not found, found;"
        "assert all(find_spec(name) for name in heavy)"
    )
    folder = ROOT / "functions" / function
    subprocess.run([sys.executable, "-c", program], cwd=folder, env={"PYTHONPATH": f"{folder}:{LAYER}"}, check=True)


def test_modules_skipped_at_startup_can_be_imported_later() -> None:
    program = """
import storefront.cold_start.driver, storefront.fields, storefront.cold_start.powertools
from datetime import datetime
from importlib.metadata import version
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEventV2, S3Event
from pg8000 import converters, core
from scramp import ScramClient
assert storefront.cold_start.powertools.APIGatewayHttpResolver is APIGatewayHttpResolver
assert storefront.cold_start.powertools.APIGatewayProxyEventV2 is APIGatewayProxyEventV2
assert isinstance(core.scramp.ScramClient(["SCRAM-SHA-256"], "user", "password"), ScramClient)
assert converters.parse("31 January 2026") == datetime(2026, 1, 31)
assert version("pg8000")
"""
    # In a new process, because this one has imported everything already.
    subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": str(LAYER)}, check=True)
