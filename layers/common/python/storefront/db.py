"""PostgreSQL: one call is one round trip and one transaction.

A call runs an SQL function of a feature. The function takes a jsonb, and returns an outcome and the JSON text of the
response. Each statement commits by itself, so no transaction is open while Lambda freezes the process, and a pooler in
transaction mode cannot split a call.
"""

import select
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from storefront import settings
from storefront.cold_start.driver import Connection, DatabaseError, Error, core, string_in
from storefront.database_errors import READ_ONLY_SQL_TRANSACTION, problem_for
from storefront.errors import Unavailable
from storefront.iam import token_of_role
from storefront.log import logger
from storefront.sockets import Socket, open_tcp, open_unix, start_tls

CONNECT_TIMEOUT = 3.0
"""Seconds for all of it: the name, TCP, TLS and the login. A database in the same region needs milliseconds."""

RESPONSE_TIMEOUT = 12.0
"""Seconds for a complete response. Longer than the server's statement_timeout, so that the server ends a slow statement
first. Shorter than the function's timeout."""

RETRY_WITHIN = 4.0
"""Seconds from the start of a call. A lost connection is noticed within LOSS_TIMEOUT. If it ends later, the statement
may be the reason, and a retry would take longer than API Gateway waits."""

MAX_IDLE = 240.0
"""Seconds. Lambda's network forgets a connection that sent nothing for 350 seconds, and does not report it."""

PATIENCE = 60.0
"""Seconds that a scheduled function waits for a paused database, which resumes within half a minute."""

# What pg8000 raises when a connection breaks: errors of the socket, of an incomplete message, and its own.
TRANSPORT_ERRORS = (OSError, struct.error, Error)

_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


class Database:
    """A database with one connection, which the first call opens.

    url: returns the address. response_timeout: seconds for a complete response.
    """

    connection: Connection | None = None

    def __init__(self, url: Callable[[], str], response_timeout: float = RESPONSE_TIMEOUT) -> None:
        self._url = url
        self._response_timeout = response_timeout

    def call(self, function: str, request: str, *, repeatable: bool) -> tuple[str, str]:
        """Call an SQL function with JSON text. Return its outcome and its body, which is JSON text or "".

        repeatable: whether a second call with the same request takes no second effect. If the connection ends before a
        byte of the response arrives, such a call is repeated once.
        Raises Unavailable if the database is unreachable or busy, and NumberOutOfRange if a sum does not fit its
        column.
        If a response was lost, the call may have taken effect: Unavailable means "try again", not "nothing happened".
        """
        started = time.monotonic()
        connection = self._current_connection()
        connection._usock.set_deadline(self._response_timeout)
        try:
            # The name of the function comes from the code. The client's data is the parameter.
            return _execute(connection, f"SELECT outcome, body FROM {function}($1)", request)  # noqa: S608  see above
        except DatabaseError as error:
            if error.args[0]["C"] == READ_ONLY_SQL_TRANSACTION:
                self.disconnect()
            raise problem_for(error) from None
        except BaseException as error:
            # The rest of the response may still arrive, and the next request must not read it.
            has_received = connection._usock.has_received
            self.disconnect()
            if not isinstance(error, TRANSPORT_ERRORS):
                raise
            if not repeatable or has_received or time.monotonic() - started > RETRY_WITHIN:
                raise Unavailable("The database did not respond.") from error
            logger.warning("The connection to the database was lost. The call is repeated.", cause=repr(error))
        return self.call(function, request, repeatable=False)

    def wake(self, patience: float) -> None:
        """Connect before the first call. patience: seconds to wait for a paused database. Raises Unavailable."""
        self._current_connection(patience)

    def disconnect(self) -> None:
        """Drop the connection. The next call opens a new one."""
        connection, self.connection = self.connection, None
        if connection is not None:
            _drop(connection)

    def _current_connection(self, patience: float = 0.0) -> Connection:
        if self.connection is not None and (
            _was_unused_for_long(self.connection) or _has_unexpected_data(self.connection)
        ):
            self.disconnect()
        if self.connection is None:
            try:
                self.connection = connect(self._url(), self._response_timeout, patience)
            except TRANSPORT_ERRORS as error:
                raise Unavailable("The database is unreachable.") from error
        return self.connection


primary = Database(settings.database_url)
call, wake, disconnect = primary.call, primary.wake, primary.disconnect


def connect(url: str, response_timeout: float = RESPONSE_TIMEOUT, patience: float = 0.0) -> Connection:
    """Open a connection to a libpq URI. TCP uses verified TLS, unless the URI has sslmode=disable.

    With sign_in=iam in the URI, the password is a new token of the function's role. libpq does not have this option.
    response_timeout: seconds. patience: seconds to try again while the database is paused or unreachable.
    Raises ValueError for an invalid URI, DatabaseError if the server refuses, or one of TRANSPORT_ERRORS.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            return _connect(url, response_timeout)
        except TRANSPORT_ERRORS as error:
            if time.monotonic() >= deadline:
                raise
            logger.warning("The database is not reachable yet. The function tries again.", cause=repr(error))
            time.sleep(1)


def _connect(url: str, response_timeout: float) -> Connection:
    started = time.monotonic()
    host, port = host_and_port(url)
    address = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(address.query).items()}
    user = unquote(address.username or "postgres")
    tls = _tls_context(host, options)
    password = unquote(address.password) if address.password else None
    if "sign_in" in options:
        if options["sign_in"] != "iam" or password is not None or not tls:
            raise ValueError("the database address should have sign_in=iam without a password and with TLS")
        password = token_of_role(f"{host}:{port}", user)
    sock = open_socket(host, port, CONNECT_TIMEOUT - (time.monotonic() - started))
    try:
        if tls:
            sock = _encrypted(sock, tls, host)
        connection = Connection(
            user=user,
            password=password,
            database=address.path.lstrip("/") or None,
            sock=sock,
            ssl_context=False,
            application_name="storefront",
        )
    except BaseException:
        sock.close_now()
        raise
    sock.clear_deadline(response_timeout)
    return connection


@contextmanager
def session(connection: Connection) -> Iterator[Connection]:
    """Use a connection outside of requests, within its response timeout, and close it at the end."""
    connection._usock.set_deadline(connection._usock.gettimeout())
    try:
        yield connection
    except BaseException:
        # The connection may be broken. Closing it must not hide the error.
        _drop(connection)
        raise
    connection.close()


def host_and_port(url: str) -> tuple[str, int]:
    """Return the host and the port of a libpq URI. The host can be the folder of a Unix socket. Raises ValueError."""
    try:
        address = urlsplit(url)
        host = parse_qs(address.query).get("host", [address.hostname or "localhost"])[-1]
        port = address.port or 5432
        is_valid = address.scheme in ("postgresql", "postgres")
    except ValueError:
        is_valid = False
    if not is_valid:
        # Without the cause, which may quote a part of the password.
        raise ValueError("the database address is not a libpq URI")
    return host, port


def open_socket(host: str, port: int, seconds: float = CONNECT_TIMEOUT) -> Socket:
    """Connect a socket to a PostgreSQL server within seconds, and send nothing. Raises OSError."""
    return open_unix(f"{host}/.s.PGSQL.{port}", seconds) if host.startswith("/") else open_tcp(host, port, seconds)


def _drop(connection: Connection) -> None:
    # pg8000's close() would send its buffer first, and an abandoned statement could still run.
    with suppress(OSError):
        connection._usock.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection._sock.close()
    connection._usock.close()


def _was_unused_for_long(connection: Connection) -> bool:
    # While Lambda freezes the process, the monotonic clock may stand still. The wall clock is set afterwards. If it was
    # set back, the time is unknown.
    return not 0 <= time.time() - connection._usock.received_at < MAX_IDLE


def _has_unexpected_data(connection: Connection) -> bool:
    # An idle server sends nothing. If it closed the connection while the process was frozen, the socket is readable.
    # This check costs one system call, and saves the request.
    waiting = select.poll()
    waiting.register(connection._usock, select.POLLIN)
    return bool(waiting.poll(0))


def _encrypted(sock: Socket, context: ssl.SSLContext, host: str) -> Socket:
    # pg8000 would do the same, but with a timeout for each step.
    # https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL
    sock.sendall(_SSL_REQUEST)
    # One byte, so that nothing that is sent before the handshake is read as encrypted data.
    if sock.recv(1) != b"S":
        raise ssl.SSLError("the server refuses TLS")
    return start_tls(sock, context, host)


def _tls_context(host: str, options: dict[str, str]) -> ssl.SSLContext | Literal[False]:
    if options.get("sslmode", "verify-full") not in ("disable", "require", "verify-ca", "verify-full"):
        # libpq's other modes can fall back to plain text.
        raise ValueError("sslmode in the database address should be verify-full or disable, if it is present")
    if host.startswith("/") or options.get("sslmode") == "disable":
        return False
    authorities = options.get("sslrootcert")
    try:
        return _verifying(authorities, Path(authorities).stat().st_mtime_ns if authorities else None)
    except FileNotFoundError:
        # Not an OSError, which looks like a network that will recover. In Lambda, the name contains the region.
        raise ValueError(
            f"the file with the database's certificate authorities does not exist: {authorities}"
        ) from None


@cache
def _verifying(authorities: str | None, _modified: int | None) -> ssl.SSLContext:
    # Cached until the file changes, because reading it takes longer than connecting.
    context = ssl.create_default_context(cafile=authorities)
    # Verify what libpq verifies: the chain, the name and the dates. Python 3.13 also requires key identifiers. Many
    # database certificates lack them, and they add no security.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _execute(connection: Connection, sql: str, parameter: str) -> tuple[str, str]:
    # pg8000's run() takes three round trips and ends each with Sync. Between them, a pooler may give the server to
    # another client. Parse, Bind, Execute and Sync in one flush take one round trip. Both columns are text, so Describe
    # is not needed.
    # https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
    context = core.Context(sql, columns=[], input_funcs=[string_in, string_in])
    value = parameter.encode()
    connection._send_message(core.PARSE, b"\0" + sql.encode() + b"\0" + core.H_pack(0))
    connection._send_message(
        core.BIND, b"\0\0" + core.H_pack(0) + core.H_pack(1) + core.i_pack(len(value)) + value + core.H_pack(0)
    )
    core._write(connection._sock, core.EXECUTE_MSG + core.SYNC_MSG)
    core._flush(connection._sock)
    connection.handle_messages(context)
    [(outcome, body)] = context.rows
    return outcome, body or ""
