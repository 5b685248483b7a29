"""Fixtures for the tests of the local stack."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey
from pg8000.native import Connection

from local.issuer.server import issuer
from storefront import db
from tests.local.console_client import ORIGIN, Console
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
def guarded_stack(data_dir: Path) -> Iterator[Stack]:
    """A stack with AUTH=on, which all tests of a worker share."""
    with running(data_dir, AUTH="on") as stack:
        yield stack


@pytest.fixture(scope="session")
def guarded_url(guarded_stack: Stack) -> str:
    """The URL of the stack with AUTH=on."""
    return guarded_stack.url


@pytest.fixture
def guarded_console(guarded_stack: Stack) -> Console:
    """A browser with the console of the stack with AUTH=on. Nobody is signed in."""
    found = re.search(r"\((http://\S+) signs them in\)", "".join(guarded_stack.output))
    assert found
    return Console(found[1], guarded_stack.url)


@pytest.fixture(scope="session")
def issuer_url() -> Iterator[str]:
    """An issuer without a stack, which all tests of a worker share."""
    with issuer(RSAKey.generate_key(2048), 3000) as url:
        yield url


@pytest.fixture
def console(issuer_url: str) -> Console:
    """A browser with a console that has no stack. Nobody is signed in."""
    return Console(issuer_url, ORIGIN)
