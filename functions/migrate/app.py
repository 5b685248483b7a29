"""Apply the migrations at each deployment, before the new code takes traffic."""

import time
from typing import Any

from storefront import settings
from storefront.cold_start.driver import Connection
from storefront.db import TRANSPORT_ERRORS, connect, session
from storefront.log import logger
from storefront.migrate import Defaults, migrate

RESPONSE_TIMEOUT = 590.0
"""Seconds for all migrations. The steps that are complete by then stay, and the next deployment continues."""

PATIENCE = 100.0
"""Seconds to wait for the database. A new proxy takes a minute to find it, and a paused database to resume."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """Return the names of the files applied. Raises MigrationError if one fails. The next call continues with it."""
    url = settings.database_url()
    deadline = time.monotonic() + PATIENCE
    with session(_connect(url, deadline)) as connection, session(_connect(url, deadline)) as guard:
        defaults = Defaults(settings.currency(), settings.order_time_to_live())
        return {"applied": migrate(connection, app_role=settings.app_role(), defaults=defaults, guard=guard)}


def _connect(url: str, deadline: float) -> Connection:
    while True:
        try:
            return connect(url, RESPONSE_TIMEOUT)
        except TRANSPORT_ERRORS as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("the database is not reachable yet, retrying", cause=repr(error))
            time.sleep(1)
