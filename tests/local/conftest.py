"""Fixtures for the tests of the local stack."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from pg8000.native import Connection

from storefront import db
from tests.local.stack import Stack, running


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack that all tests of a worker share."""
    with running(tmp_path_factory.mktemp("data")) as stack:
        yield stack


@pytest.fixture
def rows(stack: Stack) -> Iterator[Connection]:
    """A session on the stack's database."""
    announced = "PostgreSQL is at "
    url = next(line.removeprefix(announced).strip() for line in stack.output if line.startswith(announced))
    with closing(db.connect(url)) as connection:
        yield connection


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="session")
def guarded_url(data_dir: Path) -> Iterator[str]:
    """The URL of a stack with AUTH=on, which all tests of a worker share."""
    with running(data_dir, AUTH="on") as stack:
        yield stack.url
