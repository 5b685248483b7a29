"""A broken connection affects at most one request."""

import socket
import ssl
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.errors import Unavailable
from storefront.sockets import Socket
from tests.api_client import UNKNOWN, ApiClient, expect
from tests.integration.postgres_proxy import proxy_to


def end_other_sessions(database: Connection) -> None:
    database.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )


def set_of_database(database: Connection, setting: str, value: str) -> None:
    """Change a setting of the test's database for new sessions."""
    [[name]] = database.run("SELECT quote_ident(current_database())") or [[]]
    database.run(f"ALTER DATABASE {name} SET {setting} = '{value}'")


def test_a_session_ended_by_the_server_is_replaced_before_the_next_request(
    api: ApiClient, database: Connection
) -> None:
    tea = api.create_product()
    end_other_sessions(database)
    assert api.stock(tea["id"]) == 10
    end_other_sessions(database)
    api.order((tea["id"], 1))


@pytest.mark.not_behind_a_pooler("the pooler has the idle sessions")
def test_a_connection_that_the_server_closed_because_it_was_idle_is_replaced(
    api: ApiClient, database: Connection
) -> None:
    # A database that pauses has this setting, so that idle connections do not keep it awake.
    set_of_database(database, "idle_session_timeout", "50ms")
    db.disconnect()
    tea = api.create_product()
    session = db.primary.connection
    time.sleep(0.3)
    # Without an idempotency key, this request would not be repeated.
    assert api.place_order((tea["id"], 1)).status == 201
    assert db.primary.connection is not session


def test_requests_share_one_session(api: ApiClient, database: Connection) -> None:
    for _ in range(3):
        api.get("/api/products")
    sessions = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    assert database.run(sessions) == [[1]]


def test_a_lost_connection_returns_503_and_the_next_request_works(
    api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with TemporaryDirectory() as folder, proxy_to(database_url, Path(folder)) as proxy:
        monkeypatch.setenv("DATABASE_URL", proxy.url)
        expect(200, api.get("/api/products"))
        proxy.cut = True
        assert api.get("/api/products").problem() == (503, "unavailable")
        proxy.cut = False
        expect(200, api.get("/api/products"))
        db.disconnect()


def test_a_lock_timeout_returns_503_and_changes_nothing(api: ApiClient, database: Connection) -> None:
    tea = api.create_product()
    set_of_database(database, "lock_timeout", "50ms")
    db.disconnect()
    database.run("BEGIN")
    database.run("SELECT FROM products FOR UPDATE")
    assert api.place_order((tea["id"], 1)).problem() == (503, "unavailable")
    database.run("ROLLBACK")
    assert (api.stock(tea["id"]), expect(200, api.get("/api/orders"))["total"]) == (10, 0)


@pytest.mark.not_behind_a_pooler("SET would change a session of the pooler, which the pooler would have to close")
def test_a_server_that_became_read_only_returns_503_and_is_disconnected(api: ApiClient) -> None:
    api.get("/api/products")
    assert db.primary.connection is not None
    db.primary.connection.run("SET default_transaction_read_only = on")
    response = api.call("POST", "/api/products", {"name": "Tea", "price": 1, "quantity": 1})
    assert response.problem() == (503, "unavailable")
    api.create_product()


def test_an_error_leaves_the_session_usable(api: ApiClient) -> None:
    with pytest.raises(RuntimeError, match="22P02"):
        db.call("get_product", '{"id": "7"}', repeatable=True)
    before = db.primary.connection
    api.create_product()
    assert db.primary.connection is before


def test_an_interrupted_response_ends_the_session(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    api.get("/api/products")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(db.primary.connection, "handle_messages", interrupted)
    with pytest.raises(KeyboardInterrupt):
        db.call("get_product", f'{{"id": "{UNKNOWN}"}}', repeatable=True)
    assert db.primary.connection is None


def test_a_server_that_never_responds_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(db, "CONNECT_TIMEOUT", 0.05)
        monkeypatch.setenv("DATABASE_URL", f"postgresql://u@127.0.0.1:{port}/x?sslmode=disable")
        db.disconnect()
        with pytest.raises(Unavailable):
            db.call("get_product", "{}", repeatable=True)


def test_an_invalid_database_url_is_refused_without_its_password() -> None:
    with pytest.raises(ValueError, match="not a libpq URI") as caught:
        db.connect("postgresql://u:hunter2#x@host/name")
    assert "hunter2" not in repr(caught.value) + repr(caught.value.__cause__)


def test_tcp_is_encrypted_and_verified_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def start_tls(sock: Socket, context: ssl.SSLContext, host: str) -> Socket:
        seen.update(context=context, host=host, nodelay=sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        return sock

    def connection(**options: Any) -> None:
        seen.update(options)
        raise ConnectionError

    monkeypatch.setattr(db, "start_tls", start_tls)
    monkeypatch.setattr(db, "Connection", connection)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def accept() -> None:
            with server.accept()[0] as client:
                client.sendall(b"S")

        accepting = Thread(target=accept)
        accepting.start()
        url = f"postgresql://us%40er:p%3Ass@127.0.0.1:{server.getsockname()[1]}/shop"
        with pytest.raises(ConnectionError):
            db.connect(url)
        accepting.join()
    assert (seen["user"], seen["password"], seen["database"]) == ("us@er", "p:ss", "shop")
    assert (seen["host"], seen["context"].check_hostname) == ("127.0.0.1", True)
    assert seen["nodelay"]
