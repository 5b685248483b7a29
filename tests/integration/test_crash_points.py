"""A request whose connection dies at any flush takes effect completely or not at all, and can be sent again.

If it is safe to repeat, the function sends it again by itself.
"""

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
from storefront.migrate import migrate
from tests.api_client import ApiClient, expect
from tests.integration.calls import FLOWS, FUNCTIONS, REPEATABLE
from tests.integration.calls.function import Flow
from tests.integration.postgres_proxy import PostgresProxy, lose, proxy_to
from tests.integration.snapshots import applied, changes, snapshot

LOGIN = {
    "warm": [],
    "fresh": ["start-up"],
    # https://www.postgresql.org/docs/current/sasl-authentication.html
    "guarded": ["start-up", "SASLInitialResponse", "SASLResponse"],
}
"""The client's flushes before the first statement: on an open connection, and with a login."""


class Crash(NamedTuple):
    """A connection that dies in one flush of a flow. lost: the request or the response of this flush."""

    flow: Flow
    connection: str
    flush: int
    lost: str

    @property
    def is_repeated(self) -> bool:
        """Whether the function sends the request again. Most do not after a login that failed."""
        is_after_login = self.flush > len(LOGIN[self.connection])
        return self.flow.goes_on or (self.flow in REPEATABLE and is_after_login)

    @property
    def writing_flush(self) -> int:
        return len(LOGIN[self.connection]) + self.flow.writing_statement

    @property
    def hides_the_effect(self) -> bool:
        """Whether the response of the statement that writes is lost."""
        return (self.flush, self.lost) == (self.writing_flush, "response")

    @property
    def takes_effect(self) -> bool:
        return self.flush > self.writing_flush or self.hides_the_effect

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


@pytest.fixture(scope="module")
def guarded_url() -> Iterator[str]:
    """A database on a server that requires a password."""
    with TemporaryDirectory() as folder:
        pgdata = Path(folder) / "data"
        with postgres(pgdata) as url, closing(db.connect(url)) as database:
            migrate(database)
            database.run("CREATE ROLE clerk SUPERUSER LOGIN PASSWORD 'local-only'")
        (pgdata / "pg_hba.conf").write_text("local all clerk scram-sha-256\nlocal all all trust\n")
        with postgres(pgdata) as url:
            address = urlsplit(url)
            yield urlunsplit(address._replace(netloc=f"clerk:local-only@{address.netloc.rpartition('@')[2]}"))


@pytest.fixture
def database_url(module_database_url: str) -> str:
    """One database for all tests, because they compare only changes."""
    return module_database_url


@pytest.fixture
def database(module_direct_url: str) -> Iterator[Connection]:
    with closing(db.connect(module_direct_url)) as connection:
        yield connection


@pytest.fixture
def proxy(api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresProxy]:
    with connected_proxy(api, database_url, monkeypatch) as proxy:
        yield proxy


@contextmanager
def connected_proxy(api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresProxy]:
    """A proxy in front of a database, with an open connection."""
    # The path of tmp_path is too long for a Unix socket.
    with TemporaryDirectory() as folder, proxy_to(database_url, Path(folder)) as proxy:
        monkeypatch.setenv("DATABASE_URL", proxy.url)
        db.disconnect()
        api.get("/api/products")
        try:
            yield proxy
        finally:
            # The proxy waits for its clients to end.
            db.disconnect()


def crash_and_send_again(crash: Crash, api: ApiClient, database: Connection, proxy: PostgresProxy) -> None:
    flow = crash.flow
    request = flow.prepare(api, database)
    before = snapshot(database)
    if crash.connection != "warm":
        db.disconnect()
    lose(proxy, crash.flush, crash.lost)
    if crash.is_repeated:
        # The function sends the request again by itself.
        assert request() == (flow.response_again if crash.hides_the_effect else flow.response)
        expected = applied(before, flow.changes, flow.changes_again if crash.hides_the_effect else ())
        assert changes(before, snapshot(database)) == changes(before, expected)
    else:
        assert request() == flow.failure

        after_crash = snapshot(database)
        assert changes(before, after_crash) == (flow.changes if crash.takes_effect else ())

        assert request() == (flow.response_again if crash.takes_effect else flow.response)
        assert changes(after_crash, snapshot(database)) == (flow.changes_again if crash.takes_effect else flow.changes)
    assert violations(database) == []


@pytest.mark.parametrize("crash", crashes(FLOWS, "fresh", "warm"), ids=str)
def test_an_interrupted_request_takes_effect_completely_or_not_at_all_and_can_be_sent_again(
    crash: Crash, api: ApiClient, database: Connection, proxy: PostgresProxy
) -> None:
    crash_and_send_again(crash, api, database, proxy)


@pytest.mark.parametrize("lost", ["request", "response"])
@pytest.mark.parametrize("path", [path for function in FUNCTIONS.values() for path in function.paths])
def test_an_interrupted_read_is_sent_again_by_the_function(
    path: str, lost: str, api: ApiClient, proxy: PostgresProxy
) -> None:
    product = api.create_product()["id"]
    target = path.format(product=product, order=api.order((product, 1))["id"])
    lose(proxy, 1, lost)
    expect(200, api.get(target))


@pytest.mark.parametrize("crash", crashes(FLOWS[:1], "guarded"), ids=str)
def test_a_request_interrupted_at_login_can_be_sent_again(
    crash: Crash, api: ApiClient, guarded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected_proxy(api, guarded_url, monkeypatch) as proxy, closing(db.connect(guarded_url)) as database:
        crash_and_send_again(crash, api, database, proxy)


def count_flushes(flow: Flow, connection: str, api: ApiClient, database: Connection, proxy: PostgresProxy) -> int:
    request = flow.prepare(api, database)
    if connection != "warm":
        db.disconnect()
    before = proxy.round_trips
    assert request() == flow.response
    return proxy.round_trips - before


@pytest.mark.parametrize("connection", ["fresh", "warm"])
@pytest.mark.parametrize("flow", FLOWS, ids=lambda flow: flow.name)
def test_every_flush_of_a_flow_is_a_crash_point(
    flow: Flow, connection: str, api: ApiClient, database: Connection, proxy: PostgresProxy
) -> None:
    assert count_flushes(flow, connection, api, database, proxy) == len(flushes(flow, connection))


def test_every_flush_of_a_login_is_a_crash_point(
    api: ApiClient, guarded_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connected_proxy(api, guarded_url, monkeypatch) as proxy, closing(db.connect(guarded_url)) as database:
        assert count_flushes(FLOWS[0], "guarded", api, database, proxy) == len(flushes(FLOWS[0], "guarded"))
