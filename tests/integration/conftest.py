"""Fixtures of the tests of payment events and of migrations."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.migrate import migrate
from tests.api_client import ApiClient
from tests.databases import copied_package


@pytest.fixture
def order_id(api: ApiClient) -> str:
    return str(api.order((api.create_product()["id"], 1))["id"])


@pytest.fixture
def other_order_id(api: ApiClient, order_id: str) -> str:  # noqa: ARG001  the first order
    return str(api.order((api.create_product()["id"], 1))["id"])


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the layer's SQL that a test may change."""
    return copied_package(tmp_path)


@pytest.fixture
def earlier_database(empty_database_url: str, package: Path) -> Iterator[Connection]:
    """A database with the schema of release 0.2.0."""
    for file in package.glob("*/*.sql"):
        if file.name != "0001_baseline.sql":
            file.unlink()
    with closing(db.connect(empty_database_url)) as connection:
        migrate(connection, package)
        yield connection
