"""Brings the schema up to date. Run at each deployment, before the new code takes traffic."""

from typing import Any

from storefront import settings
from storefront.db import session
from storefront.migrate import migrate

ANSWER_TIMEOUT = 290.0
"""Seconds, just below the function's own: an index on a large table takes minutes."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, list[str]]:
    """The files that were applied. Raises what made one fail; then all are rolled back."""
    with session(settings.database_url(), ANSWER_TIMEOUT) as connection:
        return {"applied": migrate(connection)}
