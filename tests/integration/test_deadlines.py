"""A server that sends a byte from time to time holds no request longer than the timeouts."""

import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from tempfile import TemporaryDirectory
from threading import Event, active_count

import pytest

from storefront import db, iam
from storefront.payments import secret
from tests.api_client import ApiClient, expect
from tests.integration.network import dripping, drop_packets, network_to

TIMEOUT = 0.3
"""Seconds, instead of the timeout of production."""

INTERVAL = 0.02
"""Seconds between two bytes."""

NOTICE = b"N\0\0\x10\0" + b"x" * 4092
"""A message that a server may send at any time.
https://www.postgresql.org/docs/current/protocol-message-formats.html"""

TLS_HANDSHAKE = b"S\x16\x03\x03\x40\0" + bytes(2000)
"""The response to SSLRequest, and the start of a long handshake record."""


@contextmanager
def ends_within(seconds: float) -> Iterator[None]:
    """The content raises a TimeoutError in time, and leaves no thread behind."""
    started, threads = time.monotonic(), active_count()
    with pytest.raises((TimeoutError, *db.TRANSPORT_ERRORS)) as raised:
        yield
    assert time.monotonic() - started < seconds
    assert "timed out" in f"{raised.value!r} {raised.value.__cause__!r}"
    # A server may have started one for the connection.
    assert active_count() <= threads + 1


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.mark.parametrize(
    ("data", "options"), [(NOTICE, "?sslmode=disable"), (TLS_HANDSHAKE, "")], ids=["plain text", "TLS"]
)
def test_opening_a_connection_over_tcp_has_one_timeout(
    data: bytes, options: str, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "CONNECT_TIMEOUT", TIMEOUT)
    url = f"postgresql://u@127.0.0.1:{listener.getsockname()[1]}/x{options}"
    with dripping(listener, data, INTERVAL), ends_within(2 * TIMEOUT):
        db.connect(url)


def test_opening_a_connection_over_a_unix_socket_has_one_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "CONNECT_TIMEOUT", TIMEOUT)
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/.s.PGSQL.5432")
        listener.listen()
        with dripping(listener, NOTICE, INTERVAL), ends_within(2 * TIMEOUT):
            db.connect(f"postgresql://u@/x?host={folder}")


def test_the_timeout_includes_the_name(monkeypatch: pytest.MonkeyPatch) -> None:
    resolved = Event()
    monkeypatch.setattr(db, "CONNECT_TIMEOUT", TIMEOUT)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: resolved.wait(10 * TIMEOUT))
    started = time.monotonic()
    with pytest.raises(TimeoutError, match=r"db\.example was not resolved in time"):
        db.connect("postgresql://u@db.example/x?sslmode=disable")
    assert time.monotonic() - started < 2 * TIMEOUT
    resolved.set()


def test_a_name_that_does_not_exist_is_a_transport_error() -> None:
    with pytest.raises(socket.gaierror):
        db.connect("postgresql://u@does-not-exist.invalid/x?sslmode=disable")


def test_an_address_that_does_not_respond_leaves_time_for_the_next_one(
    listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "CONNECT_TIMEOUT", TIMEOUT)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        drop_packets(silent)
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one.getsockname()) for one in (silent, listener)]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with closing(db.open_socket("db.example", 5432, TIMEOUT)) as sock:
            assert sock.getpeername() == listener.getsockname()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found[:1] * 3)
        with ends_within(2 * TIMEOUT):
            db.open_socket("db.example", 5432, TIMEOUT)


def test_a_response_has_one_timeout(api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with network_to(database_url) as network:
        monkeypatch.setenv("DATABASE_URL", network.url)
        db.disconnect()
        expect(200, api.get("/api/products"))
        network.drip_interval = INTERVAL
        monkeypatch.setattr(db.primary, "_response_timeout", TIMEOUT)
        started = time.monotonic()
        assert api.get("/api/products").problem() == (503, "unavailable")
        assert time.monotonic() - started < 2 * TIMEOUT
        db.disconnect()


def test_a_session_outside_of_requests_has_one_timeout(database_url: str) -> None:
    with network_to(database_url) as network:
        connection = db.connect(network.url, TIMEOUT)
        network.drip_interval = INTERVAL
        with ends_within(2 * TIMEOUT), db.session(connection):
            connection.run("SELECT 1")


@pytest.mark.parametrize("data", [b"HTTP/1.1 200 OK\r\nX-Slow: " + b"x" * 4000], ids=["headers"])
def test_a_request_to_aws_has_one_timeout(
    data: bytes, listener: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    for name in ("AWS_REGION", "AWS_CONTAINER_AUTHORIZATION_TOKEN", "WEBHOOK_SECRET_ID"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("SECRETS_MANAGER_ENDPOINT", url)
    monkeypatch.setattr(secret, "TIMEOUT", TIMEOUT)
    monkeypatch.setattr(iam, "CREDENTIALS_TIMEOUT", TIMEOUT)
    with dripping(listener, data, INTERVAL):
        # Two attempts.
        with ends_within(4 * TIMEOUT):
            secret.fetch_secret()
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)
        with ends_within(2 * TIMEOUT):
            iam.role_credentials()
