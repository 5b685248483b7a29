"""Schema migrations: apply each numbered migration once, and each SQL function whenever its text changed."""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from storefront.cold_start.driver import Connection, DatabaseError, identifier, literal
from storefront.db import TRANSPORT_ERRORS

PACKAGE = Path(__file__).parent
SETTINGS = PACKAGE / "database.sql"
DEFAULTS = PACKAGE / "defaults.sql"
GRANTS = PACKAGE / "grants.sql"

_INSUFFICIENT_PRIVILEGE = "42501"

# The CRC-32 of "storefront": any number works that no other program locks.
_ADVISORY_LOCK = 0x94B7A2A3
_WAIT_FOR_OTHERS = "60s"
# While a migration waits for a table lock, every later query on that table waits behind it.
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
    """A migration that failed or is not allowed."""


class Defaults(NamedTuple):
    """The settings of orders that the previous release places. order_time_to_live: minutes, or 0 for no limit."""

    currency: str
    order_time_to_live: int


class SqlFile(NamedTuple):
    name: str
    text: str
    is_migration: bool

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrate(
    connection: Connection, package: Path = PACKAGE, app_role: str | None = None, defaults: Defaults | None = None
) -> list[str]:
    """Apply new and changed SQL files, and return their names, migrations first.

    All of it is one transaction. No request sees a table without its functions, and a failure leaves everything as it
    was. Several processes may call this at the same time: they wait for each other.

    defaults: USD and one day if None.
    app_role: the role of the functions, created if it does not exist. None if they sign in as the owner.
    Raises MigrationError if a migration fails, was changed after it was applied, or cannot be applied to this database.
    """
    with _transaction(connection):
        connection.run(_HISTORY)
        known = dict(connection.run("SELECT name, checksum FROM schema_history") or [])
        files = list(_files(package))
        _check_history(files, known)
        _set_defaults(connection, defaults or Defaults("USD", 1440))
        new = [file for file in files if known.get(file.name) != file.checksum]
        for file in new:
            _apply(connection, file)
        if any(file.is_migration for file in new):
            _recreate_functions(connection, [file for file in files if file not in new])
        _run(connection, SETTINGS.name, SETTINGS.read_text(encoding="utf-8"))
        if app_role is not None:
            _grant_access(connection, app_role)
        return [file.name for file in new]


def _check_history(files: list[SqlFile], known: Mapping[str, str]) -> None:
    migrations = [file for file in files if file.is_migration]
    # A database may know later migrations than this package: after a rollback, the older code works on a newer schema.
    if known and migrations[0].name not in known:
        raise MigrationError(
            "the database is from a development version before 0.2.0, so delete it "
            "(`make run` keeps it in DATA_DIR, by default .local) and start again"
        )
    for file in migrations:
        if known.get(file.name, file.checksum) != file.checksum:
            raise MigrationError(f"{file.name} was changed after it was applied: restore it and write a new migration")


def _apply(connection: Connection, file: SqlFile) -> None:
    _run(connection, file.name, file.text)
    connection.run(
        f"INSERT INTO schema_history (name, checksum) VALUES ({literal(file.name)}, {literal(file.checksum)}) "  # noqa: S608  quoted
        "ON CONFLICT (name) DO UPDATE SET checksum = excluded.checksum, applied_at = excluded.applied_at"
    )


def _recreate_functions(connection: Connection, unchanged: list[SqlFile]) -> None:
    # A pooler may keep a session open for long, with plans that remember the old column types. The session makes new
    # plans only for functions that were created again.
    functions = "\n".join(file.text for file in unchanged if not file.is_migration)
    _run(connection, "a function that did not change", functions)


def _set_defaults(connection: Connection, defaults: Defaults) -> None:
    text = DEFAULTS.read_text(encoding="utf-8").replace(":currency", literal(defaults.currency))
    _run(connection, DEFAULTS.name, text.replace(":order_time_to_live", str(defaults.order_time_to_live)))


def _run(connection: Connection, name: str, text: str) -> None:
    try:
        connection.run(text)
    except DatabaseError as error:
        # Without the error's detail, which quotes rows: the message is written to the log and to CloudFormation.
        fields = error.args[0]
        # PostgreSQL reports the position in characters, counted from 1. Several files in one text have no common lines.
        if "P" in fields and name.endswith(".sql"):
            line = text[: int(fields["P"])].count("\n") + 1
            raise MigrationError(f"{name}, line {line}: {fields['M']}") from None
        raise MigrationError(f"{name} failed: {fields['M']}") from None


def _grant_access(connection: Connection, app_role: str) -> None:
    role = identifier(app_role)
    if not connection.run(f"SELECT FROM pg_roles WHERE rolname = {literal(app_role)}"):
        # Roles belong to the whole server: the migration of another database may create this one at the same time.
        _administer(
            connection,
            f"CREATE ROLE {role} LOGIN",
            f"DO $$ BEGIN CREATE ROLE {role} LOGIN; EXCEPTION WHEN duplicate_object OR unique_violation THEN END $$",
        )
    # On RDS, members of rds_iam sign in with a token. Other servers do not have that role.
    if connection.run(
        f"SELECT FROM pg_roles WHERE rolname = 'rds_iam' AND NOT pg_has_role({literal(app_role)}, oid, 'MEMBER')"
    ):
        _administer(connection, f"GRANT rds_iam TO {role}")
    [[database]] = connection.run("SELECT current_database()")
    # A role can change its own settings, for example to read-only, and would keep them forever.
    for [everywhere] in connection.run(_SETTINGS_OF.format(literal(app_role))):
        within = "" if everywhere else f"IN DATABASE {identifier(database)} "
        _administer(connection, f"ALTER ROLE {role} {within}RESET ALL")
    grants = GRANTS.read_text(encoding="utf-8").replace(":app_role", role)
    _run(connection, GRANTS.name, grants.replace(":database", identifier(database)))


def _administer(connection: Connection, statement: str, guarded: str | None = None) -> None:
    """Run a statement that the owner of an existing database may not be allowed to run.

    guarded: the statement to run instead, protected against a race.
    """
    try:
        connection.run(guarded or statement)
    except DatabaseError as error:
        if error.args[0]["C"] != _INSUFFICIENT_PRIVILEGE:
            raise
        raise MigrationError(f"An administrator must run this statement once: {statement}") from None


@contextmanager
def _transaction(connection: Connection) -> Iterator[None]:
    connection.run("BEGIN")
    try:
        connection.run(f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = '{_WAIT_FOR_OTHERS}'")
        # A lock of the transaction, not of the session, so that it also works behind a pooler.
        connection.run(f"SELECT pg_advisory_xact_lock({_ADVISORY_LOCK})")
        connection.run(f"SET LOCAL lock_timeout = '{_WAIT_FOR_TABLES}'")
        yield
        connection.run("COMMIT")
    except BaseException:
        # If the connection is lost, so is the transaction, and the first error is the one to report.
        with suppress(*TRANSPORT_ERRORS):
            connection.run("ROLLBACK")
        raise


def _files(package: Path) -> Iterator[SqlFile]:
    migrations = package / "migrations"
    for path in sorted(migrations.glob("[!.]*.sql")):
        yield SqlFile(path.name, path.read_text(encoding="utf-8"), is_migration=True)
    # After their tables. The order among functions does not matter: PL/pgSQL resolves names at run time, and functions
    # in plain SQL call only functions from the migrations.
    for path in sorted(package.glob("*/[!.]*.sql")):
        if path.parent != migrations:
            yield SqlFile(f"{path.parent.name}/{path.name}", path.read_text(encoding="utf-8"), is_migration=False)
