"""Sockets with one deadline for everything that happens on them, which notice early that the peer is gone.

Python's timeouts apply to each wait. A peer that sends one byte before each timeout could hold a request for minutes.
"""

import socket
import ssl
import time
from threading import Thread
from typing import Any, cast
from urllib.parse import SplitResult

LOSS_TIMEOUT = 3.0
"""Seconds. The peer's kernel acknowledges data and probes within milliseconds, even while a slow statement runs."""

_PROBE_INTERVAL = 1
_GOODBYE_TIMEOUT = 0.001


class Socket(socket.socket):
    """A socket whose waits end at its deadline. Without a deadline, settimeout() applies to each wait.

    has_received: whether data has arrived since the deadline was set. received_at: when data last arrived, as
    time.time().
    """

    deadline: float | None = None
    has_received = False
    received_at = float("-inf")

    def set_deadline(self, seconds: float) -> None:
        self.deadline = time.monotonic() + seconds
        self.has_received = False

    def clear_deadline(self, timeout: float | None) -> None:
        """timeout: seconds for each wait, or None for no limit."""
        self.deadline = None
        self.settimeout(timeout)

    def recv(self, *arguments: Any) -> bytes:
        self._limit_wait()
        return super().recv(*arguments)

    def recv_into(self, *arguments: Any) -> int:
        self._limit_wait()
        count = super().recv_into(*arguments)
        if count:
            self.has_received, self.received_at = True, time.time()
        return count

    def send(self, *arguments: Any) -> int:
        self._limit_send()
        return super().send(*arguments)

    def sendall(self, *arguments: Any) -> None:
        self._limit_send()
        super().sendall(*arguments)

    def close_now(self) -> None:
        """Close the socket, even if a file of makefile() still uses it."""
        descriptor = self.detach()
        if descriptor >= 0:
            socket.close(descriptor)

    def _limit_wait(self) -> None:
        if self.deadline is not None:
            self.settimeout(_seconds_until(self.deadline))

    def _limit_send(self) -> None:
        # A goodbye after the deadline does not wait, because the kernel buffers it.
        if self.deadline is not None:
            self.settimeout(max(self.deadline - time.monotonic(), _GOODBYE_TIMEOUT))


class _TlsSocket(Socket, ssl.SSLSocket):
    """A Socket with TLS."""

    def do_handshake(self, *arguments: Any) -> None:
        self._limit_wait()
        super().do_handshake(*arguments)


def open_tcp(host: str, port: int, seconds: float) -> Socket:
    """Connect within seconds, and let this deadline continue on the socket. Raises OSError."""
    deadline = time.monotonic() + seconds
    addresses = _addresses(host, port, seconds)
    for untried in range(len(addresses), 0, -1):
        try:
            # An address that does not respond must leave time for the others. RDS Proxy has one for each zone.
            return _connected(addresses[-untried], _seconds_until(deadline) / untried, deadline)
        except OSError:
            if untried == 1:
                raise
    raise OSError("the host has no address")


def open_unix(path: str, seconds: float) -> Socket:
    """Connect to a Unix socket within seconds, and let this deadline continue on the socket. Raises OSError."""
    return _connected((socket.AF_UNIX, socket.SOCK_STREAM, 0, "", path), seconds, time.monotonic() + seconds)


def open_url(address: SplitResult, seconds: float) -> Socket:
    """Connect to the server of an http or https URL, as open_tcp() does. Raises OSError."""
    host, is_tls = address.hostname or "", address.scheme == "https"
    sock = open_tcp(host, address.port or (443 if is_tls else 80), seconds)
    return start_tls(sock, ssl.create_default_context(), host) if is_tls else sock


def start_tls(sock: Socket, context: ssl.SSLContext, host: str) -> Socket:
    """Verify the server, and return the encrypted socket with the same deadline. Raises OSError, and then closes it."""
    context.sslsocket_class = _TlsSocket
    with sock:
        encrypted = cast("_TlsSocket", context.wrap_socket(sock, server_hostname=host, do_handshake_on_connect=False))
    encrypted.deadline = sock.deadline
    try:
        encrypted.do_handshake()
    except BaseException:
        encrypted.close()
        raise
    return encrypted


def _connected(address: tuple[Any, ...], seconds: float, deadline: float) -> Socket:
    family, kind, protocol, _, target = address
    sock = Socket(family, kind, protocol)
    try:
        sock.settimeout(seconds)
        sock.connect(target)
        if family != socket.AF_UNIX:
            _set_tcp_options(sock)
    except BaseException:
        sock.close()
        raise
    sock.deadline = deadline
    return sock


def _set_tcp_options(sock: Socket) -> None:
    # Without it, each short TLS message waits 40 ms for an acknowledgement.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    # A network that drops packets sends no error. Unacknowledged data ends the connection after TCP_USER_TIMEOUT, and
    # so do unacknowledged probes while a response is awaited (Linux' tcp(7)).
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (
        ("TCP_KEEPIDLE", _PROBE_INTERVAL),
        ("TCP_KEEPINTVL", _PROBE_INTERVAL),
        ("TCP_USER_TIMEOUT", int(LOSS_TIMEOUT * 1000)),
    ):
        # macOS does not have all of them.
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _addresses(host: str, port: int, seconds: float) -> list[tuple[Any, ...]]:
    """Return the addresses of a host, as getaddrinfo() does, but within seconds. Raises OSError."""
    results: list[list[tuple[Any, ...]] | Exception] = []

    def resolve() -> None:
        try:
            results.append(list(socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)))
        except Exception as error:  # noqa: BLE001  raised by the waiting thread
            results.append(error)

    # getaddrinfo() has no timeout. The thread ends when the resolver gives up.
    thread = Thread(target=resolve, daemon=True)
    thread.start()
    thread.join(seconds)
    if not results:
        raise TimeoutError(f"the name {host} was not resolved in time")
    if isinstance(results[0], Exception):
        raise results[0]
    return results[0]


def _seconds_until(deadline: float) -> float:
    """Return the seconds that remain. Raises TimeoutError if none does."""
    seconds = deadline - time.monotonic()
    if seconds <= 0:
        raise TimeoutError("timed out")
    return seconds
