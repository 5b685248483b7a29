"""The schema, brought up to date: numbered migrations once, SQL functions whenever they or the schema changed."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from storefront.cold_start.driver import Connection, DatabaseError, identifier, literal
from storefront.db import TRANSPORT_ERRORS

PACKAGE = Path(__file__).parent
SETTINGS = PACKAGE / "database.sql"
GRANTS = PACKAGE / "grants.sql"

_INSUFFICIENT_PRIVILEGE = "42501"

# Any number that nobody else takes: the CRC-32 of "storefront".
_ADVISORY_LOCK = 0x94B7A2A3
_WAIT_FOR_OTHERS = "60s"
# A migration that waits for a table's lock makes every later query wait behind it.
_WAIT_FOR_TABLES = "5s"

_HISTORY = """
CREATE TABLE IF NOT EXISTS schema_history (
    name       text PRIMARY KEY,
    checksum   text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
)"""

_SETTINGS_OF = """
SELECT setting.setdatabase = 0
  FROM pg_db_role_setting setting
  JOIN pg_roles role ON role.oid = setting.setrole
 WHERE role.rolname = {}
   AND setting.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))"""


class MigrationError(Exception):
    """A migration that must not be applied, or could not be."""


class SqlFile(NamedTuple):
    name: str
    text: str
    is_migration: bool

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrate(connection: Connection, package: Path = PACKAGE, app_role: str | None = None) -> list[str]:
    """Apply what is new; the names of the files that were, oldest migration first. Any number may run at once.

    app_role: who the functions sign in as, made where it is missing; None where they are the owner. Raises
    MigrationError for a migration that failed, or was applied and then changed. All of it is one transaction: no
    request ever sees a table without the functions that go with it, and after a failure everything is as it was.
    """
    with _transaction(connection):
        connection.run(_HISTORY)
        applied = [file for file in _files(package) if _apply(connection, file)]
        if any(file.is_migration for file in applied):
            _renew_functions(connection, package, applied)
        connection.run(SETTINGS.read_text(encoding="utf-8"))
        if app_role is not None:
            _let_in(connection, app_role)
        return [file.name for file in applied]


def _apply(connection: Connection, file: SqlFile) -> bool:
    known = connection.run(f"SELECT checksum FROM schema_history WHERE name = {literal(file.name)}")  # noqa: S608  quoted
    if known == [[file.checksum]]:
        return False
    if known and file.is_migration:
        raise MigrationError(
            f"{file.name} was changed after it had been applied; put it back and write a new migration"
        )
    _run(connection, file)
    connection.run(
        f"INSERT INTO schema_history (name, checksum) VALUES ({literal(file.name)}, {literal(file.checksum)}) "  # noqa: S608  quoted
        "ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = excluded.applied_at"
    )
    return True


def _renew_functions(connection: Connection, package: Path, applied: list[SqlFile]) -> None:
    # Those that did not change too: a session from before, which a pooler may keep for long, has plans that remember
    # the types of columns, and makes new ones for a function that was made anew.
    unchanged = [file.text for file in _files(package) if not file.is_migration and file not in applied]
    _run(connection, SqlFile("a function that did not change", "\n".join(unchanged), is_migration=False))


def _run(connection: Connection, file: SqlFile) -> None:
    try:
        connection.run(file.text)
    except DatabaseError as error:
        # Without the error's detail, which quotes rows: this goes into a log, and into CloudFormation's events.
        raise MigrationError(f"{file.name} failed: {error.args[0]['M']}") from None


def _let_in(connection: Connection, app_role: str) -> None:
    role = identifier(app_role)
    if not connection.run(f"SELECT FROM pg_roles WHERE rolname = {literal(app_role)}"):
        # A role is the whole server's: another database's migration may make it at the same time.
        _administer(
            connection,
            f"CREATE ROLE {role} LOGIN",
            f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$",
        )
    # RDS lets those sign in with a token who are members of this one, which other servers do not have.
    if connection.run(
        f"SELECT FROM pg_roles WHERE rolname = 'rds_iam' AND NOT pg_has_role({literal(app_role)}, oid, 'MEMBER')"
    ):
        _administer(connection, f"GRANT rds_iam TO {role}")
    [[database]] = connection.run("SELECT current_database()")
    # A role may give itself settings, such as never to write, and would have them for good.
    for [everywhere] in connection.run(_SETTINGS_OF.format(literal(app_role))):
        within = "" if everywhere else f"IN DATABASE {identifier(database)} "
        _administer(connection, f"ALTER ROLE {role} {within}RESET ALL")
    grants = GRANTS.read_text(encoding="utf-8").replace(":app_role", role)
    connection.run(grants.replace(":database", identifier(database)))


def _administer(connection: Connection, statement: str, guarded: str | None = None) -> None:
    """Run a statement that the owner of a database that is there already may not be allowed, guarded against a race."""
    try:
        connection.run(guarded or statement)
    except DatabaseError as error:
        if error.args[0]["C"] != _INSUFFICIENT_PRIVILEGE:
            raise
        raise MigrationError(f"Nobody but an administrator may do this, once: {statement}") from None


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    connection.run("BEGIN")
    try:
        connection.run(f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{_WAIT_FOR_OTHERS}'")
        # Of the transaction and not of the session, so that it holds behind a pooler too.
        connection.run(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        connection.run(f"SET LOCAL lock_timeout = '{_WAIT_FOR_TABLES}'")
        yield
        connection.run("COMMIT")
    except BaseException:
        # Where the connection is gone, so is the transaction, and the error to tell is the first.
        with suppress(*TRANSPORT_ERRORS):
            connection.run("ROLLBACK")
        raise


def _files(package: Path) -> Iterator[SqlFile]:
    migrations = package / "migrations"
    for path in sorted(migrations.glob("*.sql")):
        yield SqlFile(path.name, path.read_text(encoding="utf-8"), is_migration=True)
    # After the tables they work on. PL/pgSQL looks names up when it runs; the functions in plain SQL, which look
    # theirs up when they are created, call none but those of the migrations.
    for path in sorted(package.glob("*/*.sql")):
        if path.parent != migrations:
            yield SqlFile(f"{path.parent.name}/{path.name}", path.read_text(encoding="utf-8"), is_migration=False)
