"""A proxy between a function and PostgreSQL that counts round trips and can lose messages."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from storefront import db

_GOODBYE = b"X\0\0\0\x04"
"""Terminate, which has no response."""


@dataclass
class PostgresProxy:
    """The state of a proxy. A round trip is a flush of the client after a response of the server.

    cut: deliver nothing in either direction, and close. lose_request_at and lose_response_at: lose the request or the
    response of this round trip, and end the connection. The next connection works again.
    """

    url: str
    round_trips: int = 0
    cut: bool = False
    delay: float = 0.0
    """Seconds by which messages are delayed in each direction."""
    lose_request_at: int | None = None
    lose_response_at: int | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass
class _Connection:
    proxy: PostgresProxy
    server_spoke: bool = True
    is_lost: bool = False

    def loses(self, data: bytes, *, from_client: bool) -> bool:
        """Count a message. Returns whether to lose it."""
        proxy = self.proxy
        with proxy._lock:
            if not self.is_lost:
                if from_client and self.server_spoke and data != _GOODBYE:
                    proxy.round_trips += 1
                self.server_spoke = not from_client
                self.is_lost = proxy.round_trips == (proxy.lose_request_at if from_client else proxy.lose_response_at)
            return self.is_lost


@contextmanager
def proxy_to(database_url: str, folder: Path) -> Iterator[PostgresProxy]:
    """A proxy on a Unix socket in the folder."""
    address = urlsplit(database_url)
    login = address.netloc.rpartition("@")[0]
    proxy = PostgresProxy(f"postgresql://{login}@{address.path}?host={quote(str(folder))}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ".s.PGSQL.5432"))
        listener.listen()
        thread = threading.Thread(target=_accept, args=(listener, database_url, proxy))
        thread.start()
        try:
            yield proxy
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def lose(proxy: PostgresProxy, flush: int, lost: str) -> None:
    """Let the connection die in one of the next flushes. lost: its request or its response."""
    setattr(proxy, f"lose_{lost}_at", proxy.round_trips + flush)


def _accept(listener: socket.socket, database_url: str, proxy: PostgresProxy) -> None:
    pumps = []
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = db.open_socket(*db.host_and_port(database_url))
            server.clear_deadline(None)
            connection = _Connection(proxy)
            for source, sink, from_client in ((client, server, True), (server, client, False)):
                pump = threading.Thread(
                    target=_pump, args=(source, sink, connection), kwargs={"from_client": from_client}
                )
                pump.start()
                pumps.append(pump)
    for pump in pumps:
        pump.join()


def _pump(source: socket.socket, sink: socket.socket, connection: _Connection, *, from_client: bool) -> None:
    proxy = connection.proxy
    with suppress(OSError):
        while (data := source.recv(65536)) and not proxy.cut:
            time.sleep(proxy.delay)
            if connection.loses(data, from_client=from_client):
                # The server sees the end of its input, completes what it has received, and ends. Only then does the
                # client see the loss, so nothing can happen after it.
                (sink if from_client else source).shutdown(socket.SHUT_WR)
            else:
                sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR if proxy.cut else socket.SHUT_WR)
    # Each socket is closed by the thread that reads from it.
    if proxy.cut:
        with suppress(OSError):
            source.shutdown(socket.SHUT_RDWR)
    source.close()
