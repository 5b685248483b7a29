"""A proxy between a function and PostgreSQL that counts round trips."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

from storefront import db


@dataclass
class Wire:
    """What went over it: a round trip is a flush of the client's that follows an answer of the server's.

    Cut, it delivers nothing more in either direction and closes.
    """

    url: str
    round_trips: int = 0
    cut: bool = False
    _server_spoke: bool = True
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, *, from_client: bool) -> None:
        with self._lock:
            if from_client and self._server_spoke:
                self.round_trips += 1
            self._server_spoke = not from_client


@contextmanager
def wire_to(database_url: str, folder: Path) -> Iterator[Wire]:
    """A Unix socket in the folder that leads to the database."""
    address = urlsplit(database_url)
    wire = Wire(f"postgresql://{address.username}@{address.path}?host={quote(str(folder))}")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / ".s.PGSQL.5432"))
        listener.listen()
        thread = threading.Thread(target=_accept, args=(listener, database_url, wire))
        thread.start()
        try:
            yield wire
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _accept(listener: socket.socket, database_url: str, wire: Wire) -> None:
    pumps = []
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = db.open_socket(*db.host_and_port(database_url))
            server.settimeout(None)
            for source, sink, from_client in ((client, server, True), (server, client, False)):
                pump = threading.Thread(target=_pump, args=(source, sink, wire), kwargs={"from_client": from_client})
                pump.start()
                pumps.append(pump)
    for pump in pumps:
        pump.join()


def _pump(source: socket.socket, sink: socket.socket, wire: Wire, *, from_client: bool) -> None:
    with suppress(OSError):
        while (data := source.recv(65536)) and not wire.cut:
            wire.count(from_client=from_client)
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_RDWR if wire.cut else socket.SHUT_WR)
    # Each socket is closed by the thread that reads from it.
    if wire.cut:
        with suppress(OSError):
            source.shutdown(socket.SHUT_RDWR)
    source.close()
