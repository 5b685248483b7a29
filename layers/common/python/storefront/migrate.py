"""Schema migrations: apply each numbered migration once, and each SQL function whenever its text changed.

The migrations that share a transaction come first, then each step. If a run was interrupted, the next one continues
there. docs/decisions/0015-migrations-in-steps.md explains why.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path
from typing import NamedTuple

from storefront.cold_start.driver import Connection, literal
from storefront.db import TRANSPORT_ERRORS
from storefront.roles import grant_access
from storefront.sql_files import BusyError, Kind, MigrationError, SqlFile, read_files, run

__all__ = ["PACKAGE", "Defaults", "MigrationError", "migrate"]

PACKAGE = Path(__file__).parent
SETTINGS = PACKAGE / "database.sql"
DEFAULTS = PACKAGE / "defaults.sql"

# The CRC-32 of "storefront": any number works that no other program locks.
_ADVISORY_LOCK = 0x94B7A2A3
_WAIT_FOR_OTHERS = 60.0
"""Seconds to wait for another process that migrates the database."""

_WAIT_FOR_LOCKS = "300ms"
"""While a migration waits for a table lock, every later query on that table waits behind it."""

_WAIT_FOR_VACUUM = "10s"

_ATTEMPTS = 40
_PAUSE = 2.0
"""Seconds in which those queries run. All attempts together take longer than a query of staff, or a short audit."""

_MOST_BATCHES = 20_000
"""Runs of one statement in a deployment. One that changes 2,000 rows does not run so often in ten minutes."""

_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_history (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""

# In the order in which an order uses them. In another order, most attempts to lock them would end in a deadlock.
_TABLES = """
SELECT string_agg(quote_ident(relname), ', ' ORDER BY relname <> 'idempotency_keys', relname <> 'payment_events', oid)
  FROM pg_class
 WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND relname <> 'schema_history'
   AND pg_has_role(relowner, 'USAGE')"""

_INVALID_INDEXES = """
SELECT quote_ident(relname)
  FROM pg_class JOIN pg_index ON indexrelid = oid
 WHERE relnamespace = 'public'::regnamespace AND NOT indisvalid"""


class Defaults(NamedTuple):
    """The settings of orders that the previous release places. order_time_to_live: minutes, or 0 for no limit."""

    currency: str
    order_time_to_live: int


def migrate(
    connection: Connection,
    package: Path = PACKAGE,
    app_role: str | None = None,
    defaults: Defaults | None = None,
    guard: Connection | None = None,
) -> list[str]:
    """Apply new and changed SQL files, and return their names in the order in which they were applied.

    One transaction applies all new migrations of its kind, in the order of their numbers, and the functions. No request
    sees a table without its functions. The new steps follow in the order of their numbers, with those that each release
    repeats. A step that fails changes nothing, and the next run continues with it.

    defaults: USD and one day if None.
    app_role: the role of the functions, created if it does not exist. None if they sign in as the owner.
    guard: another connection to the database, by which several processes wait for each other. None if no other process
    migrates the database at this time.
    Raises MigrationError if a migration fails, was changed after it was applied, or cannot be applied to this database.
    """
    with nullcontext() if guard is None else _alone(guard):
        connection.run(_HISTORY)
        history = dict(connection.run("SELECT name, checksum FROM schema_history") or [])
        files = read_files(package)
        _check_history([file for file in files if file.is_migration], history)
        together = [file for file in files if not file.is_step]
        removed = {name for name in history if "/" in name} - {file.name for file in together}
        # Another release has functions in other files. After its rollback, they are still those of that release.
        new = [file for file in together if file.is_new(history) or (removed and not file.is_migration)]
        steps = [file for file in files if file.is_step and (file.is_new(history) or (file.is_repeated and new))]
        _check_guard(guard)
        _retry(partial(_apply_together, connection, together, new, app_role, defaults or Defaults("USD", 1440)))
        _forget(connection, removed)
        for step in steps:
            _check_guard(guard)
            _apply_step(connection, step)
        return [file.name for file in new + steps if file.is_new(history)]


def _check_history(migrations: list[SqlFile], history: Mapping[str, str]) -> None:
    # A database may know later migrations than this package: after a rollback, the older code works on a newer schema.
    if history and migrations[0].name not in history:
        raise MigrationError(
            "the database is from a development version before 0.2.0, so delete it "
            "(`make run` keeps it in DATA_DIR, by default .local) and start again"
        )
    for file in migrations:
        if history.get(file.name, file.checksum) not in file.accepted_checksums:
            raise MigrationError(f"{file.name} was changed after it was applied: restore it and write a new migration")


def _apply_together(
    connection: Connection, together: list[SqlFile], new: list[SqlFile], app_role: str | None, defaults: Defaults
) -> None:
    with _transaction(connection):
        is_migrated = any(file.is_migration for file in new)
        if is_migrated:
            _lock_tables(connection)
        _set_defaults(connection, defaults)
        for file in new:
            run(connection, file.name, file.text)
            _record(connection, file)
        if is_migrated:
            _recreate_functions(connection, [file for file in together if not file.is_migration and file not in new])
        run(connection, SETTINGS.name, SETTINGS.read_text(encoding="utf-8"))
        if app_role is not None:
            grant_access(connection, app_role)


def _apply_step(connection: Connection, file: SqlFile) -> None:
    if file.kind is Kind.STATEMENTS:
        _retry(partial(_apply_statements, connection, file))
        return
    for _ in range(_MOST_BATCHES):
        if _retry(partial(_apply_batch, connection, file)):
            return
    raise MigrationError(
        f"{file.name} still changed rows after {_MOST_BATCHES} runs: "
        "check that it does not change the same rows again, then deploy again to continue"
    )


def _apply_batch(connection: Connection, file: SqlFile) -> bool:
    """Return whether it was the last batch."""
    with _transaction(connection):
        run(connection, file.name, file.text)
        is_last: bool = connection.row_count == 0
        if is_last:
            _record(connection, file)
    return is_last


def _apply_statements(connection: Connection, file: SqlFile) -> None:
    try:
        # Of the session, because CREATE INDEX CONCURRENTLY refuses to run in a transaction. A proxy that lends sessions
        # pins this one.
        connection.run("SET statement_timeout = 0")
        connection.run("SET lock_timeout = 0")
        # A run that was interrupted leaves them.
        for [index] in connection.run(_INVALID_INDEXES):
            connection.run(f"DROP INDEX CONCURRENTLY IF EXISTS {index}")
        connection.run(f"SET lock_timeout = '{_WAIT_FOR_LOCKS}'")
        for number, statement in enumerate(file.statements, 1):
            run(connection, f"{file.name}, statement {number}", statement)
    finally:
        with suppress(*TRANSPORT_ERRORS):
            connection.run("ROLLBACK")
            connection.run("RESET statement_timeout")
            connection.run("RESET lock_timeout")
    _record(connection, file)


def _record(connection: Connection, file: SqlFile) -> None:
    connection.run(
        f"INSERT INTO schema_history (name, checksum) VALUES ({literal(file.name)}, {literal(file.checksum)}) "  # noqa: S608  quoted
        "ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = excluded.applied_at"
    )


def _forget(connection: Connection, removed: set[str]) -> None:
    """Let a rollback apply functions again whose files this release does not have."""
    for name in removed:
        connection.run(f"DELETE FROM schema_history WHERE name = {literal(name)}")  # noqa: S608  quoted


def _lock_tables(connection: Connection) -> None:
    [[tables]] = connection.run(_TABLES)
    if tables:
        # PostgreSQL stops an autovacuum after a second of waiting. This lock blocks no request in the meantime.
        connection.run(f"SET LOCAL lock_timeout = '{_WAIT_FOR_VACUUM}'")
        run(connection, "the lock against a vacuum", f"LOCK TABLE {tables} IN SHARE UPDATE EXCLUSIVE MODE")
        # All at once, with one timeout. If each statement waited for its own lock, requests would wait for the sum.
        connection.run(f"SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = '{_WAIT_FOR_LOCKS}'")
        run(connection, "the lock of all tables", f"LOCK TABLE {tables} IN ACCESS EXCLUSIVE MODE")
        connection.run(f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{_WAIT_FOR_LOCKS}'")


def _recreate_functions(connection: Connection, unchanged: list[SqlFile]) -> None:
    # A pooler may keep a session open for long, with plans that remember the old column types. The session makes new
    # plans only for functions that were created again.
    run(connection, "a function that did not change", "\n".join(file.text for file in unchanged))


def _set_defaults(connection: Connection, defaults: Defaults) -> None:
    text = DEFAULTS.read_text(encoding="utf-8").replace(":currency", literal(defaults.currency))
    run(connection, DEFAULTS.name, text.replace(":order_time_to_live", str(defaults.order_time_to_live)))


def _retry(step: Callable[[], bool | None]) -> bool | None:
    for _ in range(_ATTEMPTS - 1):
        with suppress(BusyError):
            return step()
        time.sleep(_PAUSE)
    return step()


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    connection.run("BEGIN")
    try:
        connection.run(f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{_WAIT_FOR_LOCKS}'")
        yield
        connection.run("COMMIT")
    except BaseException:
        # If the connection is lost, so is the transaction, and the first error is the one to report.
        with suppress(*TRANSPORT_ERRORS):
            connection.run("ROLLBACK")
        raise


@contextmanager
def _alone(guard: Connection) -> Iterator[None]:
    """Wait until no other process migrates the database, and keep others waiting."""
    deadline = time.monotonic() + _WAIT_FOR_OTHERS
    # A lock of a transaction, not of a session, so that it also works behind a pooler. The transaction has no snapshot,
    # so CREATE INDEX CONCURRENTLY does not wait for it. It would wait for a statement that waits for the lock.
    while not _has_lock(guard):
        if time.monotonic() > deadline:
            raise MigrationError("another process migrates the database: try again when it has finished")
        time.sleep(0.2)
    try:
        yield
    finally:
        with suppress(*TRANSPORT_ERRORS):
            guard.run("ROLLBACK")


def _check_guard(guard: Connection | None) -> None:
    """Fail if the connection was lost, and with it the lock."""
    if guard is not None:
        guard.run("SELECT 1")


def _has_lock(guard: Connection) -> bool:
    guard.run("BEGIN ISOLATION LEVEL READ COMMITTED")
    guard.run("SET LOCAL idle_in_transaction_session_timeout = 0")
    [[is_mine]] = guard.run(f"SELECT pg_try_advisory_xact_lock({_ADVISORY_LOCK})")
    if not is_mine:
        guard.run("ROLLBACK")
    return bool(is_mine)
