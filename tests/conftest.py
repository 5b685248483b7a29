"""Fixtures: a PostgreSQL server for the run, and a database and an API client for each test."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, settings
from pg8000.native import Connection

from local.settings import APP_ROLE, as_role
from storefront import db
from storefront.audit import violations
from tests.api_client import ENVIRONMENT, ApiClient, load_function, local_keyring, over_handlers
from tests.databases import copied_database, empty, new_database, prepare, volatile_server
from tests.integration.pooler import pooler

pytest_plugins = ["tests.running"]
# Otherwise, pytest would not show the values that these modules compare.
pytest.register_assert_rewrite(
    *("tests.handlers.lists", "tests.handlers.reconciliation", "tests.unit.reading"),
    *("tests.integration.compared_shop", "tests.integration.compared_tables", "tests.integration.responses"),
)

# A slow machine must not fail a test.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def server_url(pytestconfig: pytest.Config) -> Iterator[str]:
    """A PostgreSQL server: the one of --server-url, or one of this worker's own, which loses its data in a crash."""
    given: str | None = pytestconfig.getoption("--server-url")
    if given:
        yield given
        return
    with volatile_server(pytestconfig.getoption("--postgres")) as url:
        yield url


@pytest.fixture(scope="session")
def pooled(server_url: str, pytestconfig: pytest.Config) -> Iterator[Callable[[str], str]]:
    """Returns the URL by which the functions reach a database: through the pooler, with --pooler."""
    if not pytestconfig.getoption("--pooler"):
        yield str
        return
    with pooler(server_url) as running:
        yield running.behind
        assert sum(running.transactions().values()) > 0


@pytest.fixture(scope="session")
def template(server_url: str) -> Iterator[str]:
    """The name of a database with the schema, for copies. It has no connections."""
    with new_database(server_url) as url:
        prepare(url)
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Path:
    """A folder of this run that all workers share."""
    folder = tmp_path_factory.getbasetemp()
    return folder if worker_id == "master" else folder.parent


@pytest.fixture
def pgdata() -> Iterator[Path]:
    """A data folder for a test that starts its own server."""
    with TemporaryDirectory() as folder:
        yield Path(folder) / "data"


def as_app(url: str) -> str:
    """The same database with the functions' role, or with the owner if the server requires a password."""
    return url if urlsplit(url).password else as_role(url, APP_ROLE)


@pytest.fixture
def empty_direct_url(server_url: str) -> Iterator[str]:
    """The URL of an empty database for one test, as the owner."""
    with new_database(server_url) as url:
        yield url


@pytest.fixture
def empty_database_url(empty_direct_url: str, pooled: Callable[[str], str]) -> str:
    """The URL of an empty database for one test, as the functions connect to it."""
    return pooled(empty_direct_url)


@pytest.fixture
def direct_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of a database with the schema for one test, as the owner."""
    with copied_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="module")
def module_direct_url(server_url: str, template: str) -> Iterator[str]:
    """The URL of a database with the schema that a module shares, as the owner."""
    with copied_database(server_url, template) as url:
        yield url


@pytest.fixture(scope="module")
def module_database_url(module_direct_url: str, pooled: Callable[[str], str]) -> str:
    """The URL of a database with the schema that a module shares, as the functions connect to it."""
    return pooled(as_app(module_direct_url))


@pytest.fixture(scope="module")
def emptied(server_url: str, template: str) -> Iterator[tuple[str, Connection]]:
    """A database that the tests of a module use one after the other, and a session to empty it."""
    with copied_database(server_url, template) as url, closing(db.connect(url)) as owner:
        yield url, owner


@pytest.fixture
def database_url(request: pytest.FixtureRequest, pooled: Callable[[str], str]) -> str:
    """The URL of a database with the schema and without rows, as the functions connect to it.

    A test that also connects as the owner gets its own database, because the owner can change more than rows.
    """
    if "direct_url" in request.fixturenames:
        url = request.getfixturevalue("direct_url")
    else:
        url, owner = request.getfixturevalue("emptied")
        empty(owner)
    return pooled(as_app(url))


@pytest.fixture
def database(direct_url: str) -> Iterator[Connection]:
    """A session of the owner on the test's database, separate from the session of the functions."""
    with closing(db.connect(direct_url)) as connection:
        yield connection


@pytest.fixture
def expect_no_violations(database: Connection) -> Iterator[None]:
    yield
    assert violations(database) == []


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions' environment variables, except DATABASE_URL."""
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def api(
    database_url: str,
    environment: None,  # noqa: ARG001  the functions' settings
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[ApiClient]:
    """An API client that calls the handlers in this process, on the test's database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setattr(load_function("webhook"), "keyring", local_keyring())
    db.disconnect()
    yield ApiClient(over_handlers)
    db.disconnect()
