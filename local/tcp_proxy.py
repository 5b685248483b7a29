"""A TCP proxy, for servers that containers cannot reach: on loopback or on a Unix socket."""

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socketserver import BaseRequestHandler, ThreadingTCPServer
from threading import Thread

_CHUNK = 64 * 1024
_POLL_INTERVAL = 0.05


@contextmanager
def tcp_proxy(address: str, connect: Callable[[], socket.socket]) -> Iterator[int]:
    """Forward connections to an address of this machine, and yield the port.

    connect: opens a connection to the server.
    """

    class Handler(BaseRequestHandler):
        def handle(self) -> None:
            with suppress(OSError), connect() as target:
                _forward(self.request, target)

    with _Server((address, 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(_POLL_INTERVAL,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()


class _Server(ThreadingTCPServer):
    daemon_threads = True


def _forward(client: socket.socket, target: socket.socket) -> None:
    # A database's messages are small. Nagle's algorithm would delay them.
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    responses = Thread(target=_copy, args=(target, client), daemon=True)
    responses.start()
    _copy(client, target)
    responses.join()


def _copy(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(_CHUNK):
            sink.sendall(data)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
