"""PostgreSQL: one call, one round trip, one transaction.

Each call names an SQL function of a feature, which takes a jsonb and gives back an outcome and the JSON text of the
answer. The statement commits by itself: nothing stays open when Lambda freezes the process, and a pooler in
transaction mode cannot split it.
"""

import select
import socket
import ssl
import struct
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import parse_qs, unquote, urlsplit

from storefront import settings
from storefront.cold_start.driver import Connection, DatabaseError, Error, core, string_in
from storefront.errors import NumberOutOfRange, Unavailable
from storefront.iam import own_token

CONNECT_TIMEOUT = 3.0
"""Seconds. A database in the same region answers in milliseconds; a request should not spend its life waiting."""

ANSWER_TIMEOUT = 12.0
"""Seconds. Above the server's statement_timeout, so that the server has the first word, and below the function's."""

# What pg8000 lets through when the line breaks: the socket's errors and a message cut short, beside its own.
TRANSPORT_ERRORS = (OSError, struct.error, Error)

# 08 connection, 53 resources, 57 a time-out or an operator stepped in, 40001 and 40P01 serialisation and deadlock,
# 55P03 lock_timeout, 25006 read-only: each rolled back, each may be tried again.
# https://www.postgresql.org/docs/current/errcodes-appendix.html
_PASSING = ("08", "53", "57", "40001", "40P01", "55P03", "25006")
# The server was made a read-only replica by a failover; the next connection leads to the new one.
_READ_ONLY_SQL_TRANSACTION = "25006"
_NUMERIC_VALUE_OUT_OF_RANGE = "22003"

_connection: Connection | None = None


def call(function: str, request: str) -> tuple[str, str]:
    """Call an SQL function with a JSON text; its outcome, and its body as JSON text ("" where it has none).

    Raises Unavailable where the database is away or busy, NumberOutOfRange where a sum left its column's range.
    A request whose answer was lost may have been carried out: Unavailable says "try again", not "nothing happened".
    """
    connection = _current_connection()
    try:
        # The name is the code's own; what a client sends is the parameter.
        return _execute(connection, f"SELECT outcome, body FROM {function}($1)", request)  # noqa: S608  see above
    except DatabaseError as error:
        if error.args[0]["C"] == _READ_ONLY_SQL_TRANSACTION:
            disconnect()
        raise _translated(error) from None
    except BaseException as error:
        # The rest of the answer may still be on the wire, for the next request to take for its own.
        disconnect()
        if isinstance(error, TRANSPORT_ERRORS):
            raise Unavailable("The database did not respond.") from error
        raise


def connect(url: str, response_timeout: float = ANSWER_TIMEOUT) -> Connection:
    """Open a connection to a libpq URI. Over TCP with verified TLS, unless the URI says sslmode=disable.

    sign_in=iam in the URI, an option of ours, signs in with a token of the function's role, made for this connection.
    answer_timeout: seconds. Raises ValueError where the URI is none, DatabaseError where the server refuses, and any of
    TRANSPORT_ERRORS.
    """
    host, port = host_and_port(url)
    address = urlsplit(url)
    options = {name: values[-1] for name, values in parse_qs(address.query).items()}
    user = unquote(address.username or "postgres")
    tls = _tls_context(host, options)
    password = unquote(address.password) if address.password else None
    if "sign_in" in options:
        if options["sign_in"] != "iam" or password is not None or not tls:
            raise ValueError("the database's address should say sign_in=iam, without a password and with TLS")
        password = own_token(f"{host}:{port}", user)
    sock = open_socket(host, port)
    try:
        connection = Connection(
            user=user,
            password=password,
            database=address.path.lstrip("/") or None,
            host=host,
            sock=sock,
            ssl_context=tls,
            application_name="storefront",
        )
    except BaseException:
        sock.close()
        raise
    connection._usock.settimeout(response_timeout)
    return connection


@contextmanager
def session(connection: Connection) -> Iterator[Connection]:
    """A connection for what is no request; closed at the end."""
    try:
        yield connection
    except BaseException:
        # It may be gone already, and the error to tell is what made it go.
        _drop(connection)
        raise
    connection.close()


def host_and_port(url: str) -> tuple[str, int]:
    """Where a libpq URI leads: a host, or the folder of a Unix socket. Raises ValueError where it is none."""
    try:
        address = urlsplit(url)
        found = parse_qs(address.query).get("host", [address.hostname or "localhost"])[-1], address.port or 5432
    except ValueError:
        found = None
    if found is None or address.scheme not in ("postgresql", "postgres"):
        # Without the cause, which quotes what may be a piece of the password.
        raise ValueError("the database's address is not a libpq URI")
    return found


def open_socket(host: str, port: int) -> socket.socket:
    """Connect to a PostgreSQL server, without a word said."""
    if host.startswith("/"):
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(CONNECT_TIMEOUT)
        try:
            sock.connect(f"{host}/.s.PGSQL.{port}")
        except BaseException:
            sock.close()
            raise
        return sock
    sock = socket.create_connection((host, port), CONNECT_TIMEOUT)
    # pg8000 does not set it, and TLS's short messages then wait 40 ms for an acknowledgement each.
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def disconnect() -> None:
    """Drop the connection; the next call opens another."""
    global _connection
    connection, _connection = _connection, None
    if connection is not None:
        _drop(connection)


def _drop(connection: Connection) -> None:
    # Not pg8000's close(): that sends what is still buffered first, and a statement given up on might then run.
    with suppress(OSError):
        connection._usock.shutdown(socket.SHUT_RDWR)
    with suppress(OSError):
        connection._sock.close()
    connection._usock.close()


def _current_connection() -> Connection:
    global _connection  # noqa: PLW0603  one for each execution environment
    if _connection is not None and _has_something_to_say(_connection):
        disconnect()
    if _connection is None:
        try:
            _connection = connect(settings.database_url())
        except TRANSPORT_ERRORS as error:
            raise Unavailable("The database is unreachable.") from error
    return _connection


def _has_something_to_say(connection: Connection) -> bool:
    # An idle server is silent. One that closed the connection, or ended it with a message, while the process was
    # frozen is noticed here for the price of a system call, before a request is lost on it.
    waiting = select.poll()
    waiting.register(connection._usock, select.POLLIN)
    return bool(waiting.poll(0))


def _tls_context(host: str, options: dict[str, str]) -> ssl.SSLContext | Literal[False]:
    if options.get("sslmode", "verify-full") not in ("disable", "require", "verify-ca", "verify-full"):
        # Those that libpq has beside these may end in plain text.
        raise ValueError("the database's address should say sslmode=verify-full or sslmode=disable, if any")
    if host.startswith("/") or options.get("sslmode") == "disable":
        return False
    authorities = options.get("sslrootcert")
    return _verifying(authorities, Path(authorities).stat().st_mtime_ns if authorities else None)


@cache
def _verifying(authorities: str | None, _modified: int | None) -> ssl.SSLContext:
    # Once for a process, however often it connects, unless the file changes: reading it takes longer than the rest.
    context = ssl.create_default_context(cafile=authorities)
    # As libpq verifies: the chain, the name and the dates. Python 3.13 asks for key identifiers beside them, which many
    # a database's certificate lacks, and which make it no more authentic.
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    return context


def _execute(connection: Connection, sql: str, parameter: str) -> tuple[str, str]:
    # pg8000's own run() takes three round trips, each ended by a Sync, between which a pooler may hand the server
    # to somebody else. Parse, Bind, Execute and Sync in one flush take one. No Describe: the two columns are text.
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


def _translated(error: DatabaseError) -> Exception:
    code, message = error.args[0]["C"], error.args[0]["M"]
    if code.startswith(_PASSING):
        return Unavailable("The database is busy.")
    if code == _NUMERIC_VALUE_OUT_OF_RANGE:
        return NumberOutOfRange()
    # Without the error's detail, which quotes rows: this goes into a log.
    return RuntimeError(f"PostgreSQL {code}: {message}")
