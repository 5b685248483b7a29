"""Audits the books. Run on a schedule; the metric AuditViolations is what an alarm looks at."""

from typing import Any

from storefront import audit, settings
from storefront.db import connect, session
from storefront.log import logger
from storefront.metrics import count

MAX_LOGGED = 100
"""Violations written to the log; `make audit` shows all of them."""


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """How many rows contradict another one; each is an error in the log. Raises PostgreSQL's DatabaseError."""
    with session(connect(settings.database_url(), audit.ANSWER_TIMEOUT)) as connection:
        found = audit.violations(connection)
    for violation in found[:MAX_LOGGED]:
        logger.error("audit violation", **violation._asdict())
    logger.info("audited", violations=len(found))
    count("AuditViolations", len(found))
    return {"violations": len(found)}
