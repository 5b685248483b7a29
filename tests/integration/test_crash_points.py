"""A request whose connection dies, at whichever flush, is there whole or not at all, and can be sent again."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

import pytest
from pg8000.native import Connection

from local.postgres import postgres
from storefront import db
from storefront.audit import violations
from storefront.migrate import PACKAGE, migrate
from tests.api_client import ApiClient, lambda_context, load_function
from tests.integration.flows import FLOWS, Flow, books, changes
from tests.integration.payment_flows import PAYMENT_FLOWS
from tests.integration.postgres_proxy import PostgresProxy, proxy_to

ALL_FLOWS = [*FLOWS, *PAYMENT_FLOWS]

LOGIN = {
    "warm": [],
    "fresh": ["start-up"],
    # https://www.postgresql.org/docs/current/sasl-authentication.html
    "guarded": ["start-up", "SASLInitialResponse", "SASLResponse"],
}
"""The client's flushes before the first statement, where it is logged in already and where it has to log in."""

RELEASED = ["9999_hue.sql", "products/get_product.sql"]
RELEASED_CHANGES = 4
"""A column, a function's text, and a line of the history for each of the two files."""

# The start-up; four to begin the transaction; two for the history; two to apply each file; one for the functions that
# did not change; one for the database's settings; COMMIT.
RELEASE_FLUSHES = 1 + 4 + 2 + 2 * len(RELEASED) + 1 + 1 + 1


class Crash(NamedTuple):
    """A connection that dies in one flush of a flow: before the server has it, or with the server's answer."""

    flow: Flow
    connection: str
    flush: int
    lost: str

    @property
    def is_carried_out(self) -> bool:
        writing = len(LOGIN[self.connection]) + self.flow.writing_statement
        return self.flush > writing or (self.flush == writing and self.lost == "response")

    def __str__(self) -> str:
        return f"{self.flow.name}, {self.connection}, {self.lost} of {flushes(*self[:2])[self.flush - 1]} lost"


def flushes(flow: Flow, connection: str) -> list[str]:
    return LOGIN[connection] + [f"statement {number}" for number in range(1, flow.statements + 1)]


def crashes(flows: list[Flow], *connections: str) -> list[Crash]:
    return [
        Crash(flow, connection, number, lost)
        for flow in flows
        for connection in connections
        for number in range(1, len(flushes(flow, connection)) + 1)
        for lost in ("request", "response")
    ]


@pytest.fixture
def guarded_url(pgdata: Path) -> Iterator[str]:
    """A database of a server that asks for a password."""
    with postgres(pgdata) as url, closing(db.connect(url)) as database:
        migrate(database)
        database.run("CREATE ROLE clerk SUPERUSER LOGIN PASSWORD 'local-only'")
    (pgdata / "pg_hba.conf").write_text("local all clerk scram-sha-256\nlocal all all trust\n")
    with postgres(pgdata) as url:
        address = urlsplit(url)
        yield urlunsplit(address._replace(netloc=f"clerk:local-only@{address.netloc.rpartition('@')[2]}"))


@pytest.fixture
def database_url(module_database_url: str) -> str:
    """One for all: what else is in the books is nothing to the changes."""
    return module_database_url


@pytest.fixture
def database(module_direct_url: str) -> Iterator[Connection]:
    with closing(db.connect(module_direct_url)) as connection:
        yield connection


@pytest.fixture
def proxy(api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresProxy]:
    with between(api, database_url, monkeypatch) as proxy:
        yield proxy


@contextmanager
def between(api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresProxy]:
    """The way between the shop and a database, with a connection already made."""
    # Not tmp_path, which is too long for a Unix socket's name.
    with TemporaryDirectory() as folder, proxy_to(database_url, Path(folder)) as proxy:
        monkeypatch.setenv("DATABASE_URL", proxy.url)
        db.disconnect()
        api.get("/api/products")
        try:
            yield proxy
        finally:
            # The proxy ends when its clients have.
            db.disconnect()


def lose(proxy: PostgresProxy, flush: int, lost: str) -> None:
    """Let the connection die in one of the next flushes."""
    setattr(proxy, f"lose_{lost}_at", proxy.round_trips + flush)


def crash_and_send_again(crash: Crash, api: ApiClient, database: Connection, proxy: PostgresProxy) -> None:
    flow = crash.flow
    request = flow.prepare(api, database)
    before = books(database)
    if crash.connection != "warm":
        db.disconnect()
    lose(proxy, crash.flush, crash.lost)
    assert request() == flow.failure

    after_crash = books(database)
    assert changes(before, after_crash) == (flow.changes if crash.is_carried_out else ())

    assert request() == (flow.response_again if crash.is_carried_out else flow.response)
    assert changes(after_crash, books(database)) == (flow.changes_again if crash.is_carried_out else flow.changes)
    assert violations(database) == []


@pytest.mark.parametrize("crash", crashes(ALL_FLOWS, "fresh", "warm"), ids=str)
def test_a_request_that_dies_is_whole_or_not_there_and_can_be_sent_again(
    crash: Crash, api: ApiClient, database: Connection, proxy: PostgresProxy
) -> None:
    crash_and_send_again(crash, api, database, proxy)


@pytest.mark.parametrize("crash", crashes(FLOWS[:1], "guarded"), ids=str)
def test_a_request_that_dies_while_it_logs_in_can_be_sent_again(
    crash: Crash, api: ApiClient, guarded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with between(api, guarded_url, monkeypatch) as proxy, closing(db.connect(guarded_url)) as database:
        crash_and_send_again(crash, api, database, proxy)


def count_flushes(flow: Flow, connection: str, api: ApiClient, database: Connection, proxy: PostgresProxy) -> int:
    request = flow.prepare(api, database)
    if connection != "warm":
        db.disconnect()
    before = proxy.round_trips
    assert request() == flow.response
    return proxy.round_trips - before


@pytest.mark.parametrize("connection", ["fresh", "warm"])
@pytest.mark.parametrize("flow", ALL_FLOWS, ids=lambda flow: flow.name)
def test_the_crash_points_are_all_the_flushes_there_are(
    flow: Flow, connection: str, api: ApiClient, database: Connection, proxy: PostgresProxy
) -> None:
    assert count_flushes(flow, connection, api, database, proxy) == len(flushes(flow, connection))


def test_the_crash_points_of_a_login_are_all_the_flushes_there_are(
    api: ApiClient, guarded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with between(api, guarded_url, monkeypatch) as proxy, closing(db.connect(guarded_url)) as database:
        assert count_flushes(FLOWS[0], "guarded", api, database, proxy) == len(flushes(FLOWS[0], "guarded"))


class Release(NamedTuple):
    """A new migration and a changed function, and the way by which they come to a database."""

    proxy: PostgresProxy
    database: Connection

    def deploy(self) -> list[str]:
        applied: list[str] = load_function("migrate").lambda_handler({}, lambda_context())["applied"]
        return applied

    def schema(self) -> set[str]:
        rows = self.database.run("""
            SELECT name || checksum FROM schema_history
            UNION ALL SELECT attname::text FROM pg_attribute WHERE attrelid = 'products'::regclass
            UNION ALL SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        """)
        return {line for [line] in rows or []}


@pytest.fixture
def release(empty_database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Release]:
    package = tmp_path / "storefront"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (package / "migrations" / "9999_hue.sql").write_text("ALTER TABLE products ADD COLUMN hue text;")
    function = package / "products" / "get_product.sql"
    function.write_text(function.read_text().replace("unknown_product", "unheard_of"))
    monkeypatch.setattr(load_function("migrate"), "migrate", lambda connection, **_: migrate(connection, package))
    with (
        TemporaryDirectory() as folder,
        proxy_to(empty_database_url, Path(folder)) as proxy,
        closing(db.connect(empty_database_url)) as database,
    ):
        migrate(database)
        monkeypatch.setenv("DATABASE_URL", proxy.url)
        yield Release(proxy, database)


@pytest.mark.parametrize("lost", ["request", "response"])
def test_a_migration_that_dies_before_its_commit_leaves_nothing_and_can_be_run_again(
    lost: str, release: Release
) -> None:
    before = release.schema()
    # The first is the login's.
    for flush in range(2, RELEASE_FLUSHES):
        lose(release.proxy, flush, lost)
        with pytest.raises(db.TRANSPORT_ERRORS):
            release.deploy()
        assert release.schema() == before, f"{lost} of flush {flush} lost"
    assert release.deploy() == RELEASED
    assert len(release.schema() - before) == RELEASED_CHANGES


@pytest.mark.parametrize(("lost", "left"), [("request", RELEASED), ("response", [])], ids=["request", "response"])
def test_a_migration_that_dies_in_its_commit_is_whole_or_not_there_and_can_be_run_again(
    lost: str, left: list[str], release: Release
) -> None:
    before = release.schema()
    lose(release.proxy, RELEASE_FLUSHES, lost)
    with pytest.raises(db.TRANSPORT_ERRORS):
        release.deploy()
    assert len(release.schema() - before) == (0 if left else RELEASED_CHANGES)
    assert release.deploy() == left
    assert len(release.schema() - before) == RELEASED_CHANGES


@pytest.mark.parametrize("lost", ["request", "response"])
def test_a_migration_whose_login_dies_logs_in_again(lost: str, release: Release) -> None:
    lose(release.proxy, 1, lost)
    assert release.deploy() == RELEASED


def test_the_crash_points_of_a_migration_are_all_the_flushes_there_are(release: Release) -> None:
    assert release.deploy() == RELEASED
    assert release.proxy.round_trips == RELEASE_FLUSHES
