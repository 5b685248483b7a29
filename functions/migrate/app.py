"""Brings the schema up to date. Run at each deployment, before the new code takes traffic."""

import time
from typing import Any

from storefront import settings
from storefront.cold_start.driver import Connection
from storefront.db import TRANSPORT_ERRORS, connect, session
from storefront.log import logger
from storefront.migrate import migrate

ANSWER_TIMEOUT = 290.0
"""Seconds: an index on a large table takes minutes."""

PATIENCE = 100.0
"""Seconds until the database has to answer: a new proxy takes a minute to know it, and one that paused to wake up."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """The files that were applied. Raises what made one fail; then all are rolled back."""
    with session(_connect_in_time(settings.database_url())) as connection:
        return {"applied": migrate(connection, app_role=settings.app_role())}


def _connect_in_time(url: str) -> Connection:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return connect(url, ANSWER_TIMEOUT)
        except TRANSPORT_ERRORS as error:
            if time.monotonic() > deadline:
                raise
            logger.warning("the database does not answer yet", cause=repr(error))
            time.sleep(1)
