"""Audit the data on a schedule, for the metrics AuditViolations and WebhookAge, which have alarms."""

from typing import Any

from storefront import audit, settings
from storefront.cold_start.driver import DatabaseError
from storefront.database_errors import described
from storefront.db import PATIENCE, connect, session
from storefront.log import logger
from storefront.metrics import count

MAX_LOGGED = 100
"""Violations written to the log. `make audit` shows all of them."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Return the number of violations, and the webhook's age in seconds. Each violation is an error in the log.

    Raises RuntimeError for an error of PostgreSQL.
    """
    try:
        with session(connect(settings.database_url(), audit.RESPONSE_TIMEOUT, PATIENCE)) as connection:
            found, webhook_age = audit.violations(connection), audit.webhook_age(connection)
    except DatabaseError as error:
        # Lambda logs what is raised, and the error quotes rows.
        raise RuntimeError(described(error)) from None
    for violation in found[:MAX_LOGGED]:
        logger.error("audit violation", **violation._asdict())
    logger.info("audited", violations=len(found), webhook_age=webhook_age)
    count("AuditViolations", len(found))
    count("WebhookAge", webhook_age)
    return {"violations": len(found), "webhook_age": webhook_age}
