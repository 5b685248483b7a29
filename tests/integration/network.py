"""A network between the functions and PostgreSQL that can lose connections without a message, or deliver slowly."""

import ctypes
import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from threading import Event, Thread
from urllib.parse import urlsplit, urlunsplit

import pytest

from storefront import db
from storefront.sockets import Socket

_POLL_INTERVAL = 0.01

# https://criu.org/TCP_connection and linux/tcp.h
_TCP_REPAIR = 19
# asm-generic/socket.h and linux/filter.h: a program of one instruction, which returns 0 bytes of each packet.
_SO_ATTACH_FILTER = 26
_DROP_ALL = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))


LOSSES = ["forgotten", "packets dropped"]
"""What a network does with the next packet of a connection that it lost: it responds with RST, or drops the packet."""


def drop_packets(sock: socket.socket) -> None:
    """Let the kernel drop every packet that arrives at a socket. The sender gets no acknowledgement."""
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("HP", 1, ctypes.addressof(_DROP_ALL)))


def forget(sock: socket.socket) -> None:
    """Let the kernel forget a connection without a FIN or RST. The peer's next packet gets an RST."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, _TCP_REPAIR, 1)
    except PermissionError:
        pytest.skip("TCP_REPAIR needs the capability CAP_NET_ADMIN")
    sock.close()


@dataclass
class Network:
    """TCP connections to PostgreSQL. Losing them does not affect later connections.

    url: the address of the database through this network. opened: the number of connections.
    response_limit: end each connection after this number of bytes of the next response.
    drip_interval: deliver the responses byte by byte, with this number of seconds before each.
    """

    url: str
    target: str
    opened: int = 0
    response_limit: int | None = None
    drip_interval: float = 0.0
    _relays: list["_Relay"] = field(default_factory=list)

    def lose(self, loss: str) -> None:
        """Lose the open connections. loss: one of LOSSES."""
        if loss == "forgotten":
            self.forget_connections()
        else:
            self.drop_packets()

    def drop_packets(self) -> None:
        """Drop all packets of the open connections."""
        for relay in self._relays:
            drop_packets(relay.client)

    def forget_connections(self) -> None:
        """Forget the open connections."""
        for relay in self._relays:
            relay.stop()
            forget(relay.client)
        self._relays.clear()

    def accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                self.opened += 1
                self._relays.append(_Relay(self, client, db.open_socket(*db.host_and_port(self.target))))

    def close(self) -> None:
        for relay in self._relays:
            relay.stop()
            relay.client.close()


class _Relay:
    """Copies between a client and the server in a thread, until it is stopped or one side ends."""

    def __init__(self, network: Network, client: socket.socket, server: Socket) -> None:
        self.client = client
        self._network = network
        self._server = server
        self._stopped = Event()
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server.clear_deadline(None)
        self._thread = Thread(target=self._copy)
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._thread.join()

    def _copy(self) -> None:
        sinks = {self.client: self._server, self._server: self.client}
        with self._server, suppress(OSError):
            while not self._stopped.is_set():
                for source in select.select(sinks, [], [], _POLL_INTERVAL)[0]:
                    data = source.recv(65536)
                    if source is self._server and (limit := self._network.response_limit):
                        self.client.sendall(data[:limit])
                        data = b""
                    if not data:
                        self.client.shutdown(socket.SHUT_RDWR)
                        return
                    self._deliver(data, sinks[source])

    def _deliver(self, data: bytes, sink: socket.socket) -> None:
        interval = self._network.drip_interval if sink is self.client else 0
        size = 1 if interval else len(data)
        for start in range(0, len(data), size):
            time.sleep(interval)
            sink.sendall(data[start : start + size])


@contextmanager
def network_to(database_url: str) -> Iterator[Network]:
    """A network in front of a database, on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = urlsplit(database_url)
        login = address.netloc.rpartition("@")[0]
        netloc = f"{login}@localhost:{listener.getsockname()[1]}"
        # A server on a Unix socket has no TLS.
        query = "sslmode=disable" if "host=" in address.query else address.query
        network = Network(urlunsplit(address._replace(netloc=netloc, query=query)), database_url)
        thread = Thread(target=network.accept, args=(listener,))
        thread.start()
        try:
            yield network
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            network.close()


@contextmanager
def dripping(listener: socket.socket, data: bytes, interval: float) -> Iterator[None]:
    """Accept connections, and send them the data again and again, one byte in each interval (seconds)."""
    stopped = Event()
    threads: list[Thread] = []

    def drip(client: socket.socket) -> None:
        with client, suppress(OSError):
            for one in cycle(data):
                client.sendall(bytes([one]))
                if stopped.wait(interval):
                    return

    def accept() -> None:
        with suppress(OSError):
            while True:
                threads.append(Thread(target=drip, args=(listener.accept()[0],)))
                threads[-1].start()

    accepting = Thread(target=accept)
    accepting.start()
    try:
        yield
    finally:
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        for thread in (accepting, *threads):
            thread.join()
