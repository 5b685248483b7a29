"""Apply the migrations at each deployment, before the new code takes traffic."""

from typing import Any

from storefront import settings
from storefront.db import connect, session
from storefront.migrate import Defaults, migrate

RESPONSE_TIMEOUT = 590.0
"""Seconds for all migrations. The steps that are complete by then stay, and the next deployment continues."""

PATIENCE = 100.0
"""Seconds to wait for the database. A new proxy takes a minute to find it, and a paused database to resume."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Return the names of the files applied. Raises MigrationError if one fails. The next call continues with it."""
    url = settings.database_url()
    with (
        session(connect(url, RESPONSE_TIMEOUT, PATIENCE)) as connection,
        # The database is there now.
        session(connect(url, RESPONSE_TIMEOUT)) as guard,
    ):
        defaults = Defaults(settings.currency(), settings.order_time_to_live())
        return {"applied": migrate(connection, app_role=settings.app_role(), defaults=defaults, guard=guard)}
