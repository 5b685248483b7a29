"""Audit the data on a schedule, for the metrics AuditViolations and WebhookAge, which have alarms."""

from typing import Any

from storefront import audit, settings
from storefront.db import connect, session
from storefront.log import logger
from storefront.metrics import count

MAX_LOGGED = 100
"""Violations written to the log. `make audit` shows all of them."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Return the number of violations, and the webhook's age in seconds. Each violation is an error in the log.

    Raises PostgreSQL's DatabaseError.
    """
    with session(connect(settings.database_url(), audit.RESPONSE_TIMEOUT)) as connection:
        found, webhook_age = audit.violations(connection), audit.webhook_age(connection)
    for violation in found[:MAX_LOGGED]:
        logger.error("audit violation", **violation._asdict())
    logger.info("audited", violations=len(found), webhook_age=webhook_age)
    count("AuditViolations", len(found))
    count("WebhookAge", webhook_age)
    return {"violations": len(found), "webhook_age": webhook_age}
