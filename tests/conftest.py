"""Fixtures: a PostgreSQL server for the run, a database and a shop for each test."""

import os
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import pytest
from hypothesis import HealthCheck, settings
from pg8000.native import Connection, identifier

from local.postgres import postgres
from local.settings import APP_ROLE, as_role
from storefront import db
from storefront.migrate import migrate
from tests.api_client import ENVIRONMENT, ApiClient, load_function, local_keyring, over_handlers
from tests.integration.pooler import as_functions_see

# How busy the machine is is no fault of the code's.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


# A server's data is in no folder of pytest's: the start of another run closes those to all but root, which PostgreSQL
# and a pooler are not.
@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """A PostgreSQL server: TEST_DATABASE_URL's, or one of this run's own."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        yield given
        return
    with TemporaryDirectory() as folder, postgres(Path(folder) / "data", database="postgres") as url:
        yield url


@pytest.fixture
def pgdata() -> Iterator[Path]:
    """Where a server of the test's own may keep its data."""
    with TemporaryDirectory() as folder:
        yield Path(folder) / "data"


@contextmanager
def new_database(server_url: str) -> Iterator[str]:
    """A database with nothing in it, dropped at the end."""
    name = f"test_{uuid.uuid4().hex}"
    with closing(db.connect(server_url)) as server:
        server.run(f"CREATE DATABASE {identifier(name)}")
    yield urlunsplit(urlsplit(server_url)._replace(path=f"/{name}"))
    with closing(db.connect(server_url)) as server:
        server.run(f"DROP DATABASE {identifier(name)} WITH (FORCE)")


def as_app(url: str) -> str:
    """The same database, as the functions' role; as the owner where a password is asked for, which the role has not."""
    return url if urlsplit(url).password else as_role(url, APP_ROLE)


@pytest.fixture
def empty_direct_url(server_url: str) -> Iterator[str]:
    """A database of the test's own, with nothing in it, as the test itself reaches it."""
    with new_database(server_url) as url:
        yield url


@pytest.fixture
def empty_database_url(empty_direct_url: str) -> str:
    """A database of the test's own, with nothing in it, as the functions reach it."""
    return as_functions_see(empty_direct_url)


@pytest.fixture
def direct_url(empty_direct_url: str) -> str:
    """A database of the test's own, with the schema, as its owner reaches it."""
    with closing(db.connect(empty_direct_url)) as connection:
        migrate(connection, app_role=APP_ROLE)
    return empty_direct_url


@pytest.fixture(scope="module")
def module_direct_url(server_url: str) -> Iterator[str]:
    """A database with the schema, which the tests of a module share, as its owner reaches it."""
    with new_database(server_url) as url, closing(db.connect(url)) as connection:
        migrate(connection, app_role=APP_ROLE)
        yield url


@pytest.fixture(scope="module")
def module_database_url(module_direct_url: str) -> str:
    """A database with the schema, which the tests of a module share, as the functions reach it."""
    return as_functions_see(as_app(module_direct_url))


@pytest.fixture
def database_url(direct_url: str) -> str:
    """A database of the test's own, with the schema, as the functions reach it."""
    return as_functions_see(as_app(direct_url))


@pytest.fixture
def database(direct_url: str) -> Iterator[Connection]:
    """A session on the test's database, beside the functions' own."""
    with closing(db.connect(direct_url)) as connection:
        yield connection


@pytest.fixture
def api(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[ApiClient]:
    """A shop over the handlers in this process, on the test's database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(load_function("webhook"), "keyring", local_keyring())
    db.disconnect()
    yield ApiClient(over_handlers)
    db.disconnect()
