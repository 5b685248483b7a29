"""`make audit`: find rows that contradict each other, in the database of `make run` or of DATABASE_URL."""

import os
import sys

from pg8000.native import DatabaseError

from local.postgres import running_url
from local.settings import StartError, read_settings
from storefront import audit, db
from storefront.database_errors import described


def main() -> int:
    """Print every violation, and return the exit code: 0 without violations."""
    try:
        found = _violations()
    except StartError as error:
        print(error, file=sys.stderr)
        return 2
    for violation in found:
        print(f"{violation.rule}: {violation.id} ({violation.detail})")
    number = f"{len(found)} violation{'s' if len(found) > 1 else ''}"
    print(number if found else "No violations: the books are right.")
    return 1 if found else 0


def _violations() -> list[audit.Violation]:
    settings = read_settings(os.environ)
    url = settings.database_url or running_url(settings.data_dir / "postgres")
    if url is None:
        raise StartError(f"No PostgreSQL runs on {settings.data_dir}: start `make run`, or set DATABASE_URL.")
    try:
        with db.session(db.connect(url, audit.RESPONSE_TIMEOUT)) as connection:
            return audit.violations(connection)
    except (ValueError, *db.TRANSPORT_ERRORS) as error:
        reason = described(error) if isinstance(error, DatabaseError) else error
        raise StartError(f"The database cannot be audited: {reason}.") from error


if __name__ == "__main__":
    sys.exit(main())
