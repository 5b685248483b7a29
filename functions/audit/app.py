"""Audits the books. Run on a schedule; its metrics AuditViolations and WebhookAge are what alarms look at."""

from typing import Any

from storefront import audit, settings
from storefront.db import connect, session
from storefront.log import logger
from storefront.metrics import count

MAX_LOGGED = 100
"""Violations written to the log; `make audit` shows all of them."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """How many rows contradict another one, each an error in the log; and how old the webhook's silence is, in seconds.

    Raises PostgreSQL's DatabaseError.
    """
    with session(connect(settings.database_url(), audit.ANSWER_TIMEOUT)) as connection:
        found, webhook_age = audit.violations(connection), audit.webhook_age(connection)
    for violation in found[:MAX_LOGGED]:
        logger.error("audit violation", **violation._asdict())
    logger.info("audited", violations=len(found), webhook_age=webhook_age)
    count("AuditViolations", len(found))
    count("WebhookAge", webhook_age)
    return {"violations": len(found), "webhook_age": webhook_age}
