"""The SQL files of the schema: numbered migrations, and SQL functions."""

import hashlib
import re
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import NamedTuple

from storefront.cold_start.driver import Connection, DatabaseError
from storefront.database_errors import described, may_quote_data

# lock_timeout, statement_timeout and a deadlock.
_BUSY = ("55P03", "57014", "40P01")

_ALSO_APPLIED = re.compile(r"^-- Counts as applied with the earlier SHA-256 ([0-9a-f]{64})\.$", re.MULTILINE)
_END_OF_STATEMENT = re.compile(r";[^\S\n]*(?:\n|$)")


class MigrationError(Exception):
    """A migration that failed or is not allowed."""


class BusyError(MigrationError):
    """A migration that could not lock a table or a row in time. A retry may succeed."""


class Kind(Enum):
    """How a file is applied. The value of a migration's kind is the beginning of its first line."""

    TRANSACTION = ""
    """In one transaction with all files of this kind, and with the functions."""

    BATCHES = "-- In batches: "
    """One statement, repeated until it changes no row, each time in a transaction of its own."""

    REPEATED = "-- In batches, again with each release: "
    """The same, and again after each change of the functions, such as the deployment that follows a rollback."""

    STATEMENTS = "-- Outside of a transaction: "
    """Statements that are sent one by one."""

    FUNCTION = "function"
    """Applied again whenever its text changed."""


class SqlFile(NamedTuple):
    name: str
    text: str
    kind: Kind

    @property
    def is_migration(self) -> bool:
        return self.kind is not Kind.FUNCTION

    @property
    def is_step(self) -> bool:
        """Whether it is applied on its own, after the shared transaction."""
        return self.kind in (Kind.BATCHES, Kind.REPEATED, Kind.STATEMENTS)

    @property
    def is_repeated(self) -> bool:
        return self.kind is Kind.REPEATED

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    @property
    def accepted_checksums(self) -> set[str]:
        """Those of this text and of earlier texts. A migration in the history needs one of them."""
        return {self.checksum, *_ALSO_APPLIED.findall(self.text)}

    @property
    def statements(self) -> list[str]:
        """Each ends with a semicolon at the end of a line."""
        return [statement for statement in _END_OF_STATEMENT.split(self.text) if statement.strip()]

    def is_new(self, history: Mapping[str, str]) -> bool:
        """Whether the file must be applied. history: the checksum of each file that was applied."""
        return self.name not in history if self.is_migration else history.get(self.name) != self.checksum


def read_files(package: Path) -> list[SqlFile]:
    """Read the migrations in the order of their numbers, and then the SQL functions."""
    migrations = [_migration(path) for path in sorted((package / "migrations").glob("[!.]*.sql"))]
    return migrations + _functions(package)


def run(connection: Connection, name: str, text: str) -> None:
    """Run SQL. name: for the error. Raises MigrationError, or BusyError if a retry may succeed."""
    try:
        connection.run(text)
    except DatabaseError as error:
        # Without the error's detail, which quotes rows: the message is written to the log and to CloudFormation.
        fields = error.args[0]
        message = described(error) if may_quote_data(error) else fields["M"]
        kind = BusyError if fields["C"] in _BUSY else MigrationError
        # PostgreSQL reports the position in characters, counted from 1. Only a whole file knows its lines.
        if "P" in fields and name.endswith(".sql"):
            line = text[: int(fields["P"])].count("\n") + 1
            raise kind(f"{name}, line {line}: {message}") from None
        raise kind(f"{name} failed: {message}") from None


def _migration(path: Path) -> SqlFile:
    text = path.read_text(encoding="utf-8")
    steps = (Kind.BATCHES, Kind.REPEATED, Kind.STATEMENTS)
    kind = next((kind for kind in steps if text.startswith(kind.value)), Kind.TRANSACTION)
    return SqlFile(path.name, text, kind)


def _functions(package: Path) -> list[SqlFile]:
    # Their order does not matter: PL/pgSQL resolves names at run time, and functions in plain SQL call only functions
    # of the migrations.
    return [
        SqlFile(f"{path.parent.name}/{path.name}", path.read_text(encoding="utf-8"), Kind.FUNCTION)
        for path in sorted(package.glob("*/[!.]*.sql"))
        if path.parent.name != "migrations"
    ]
