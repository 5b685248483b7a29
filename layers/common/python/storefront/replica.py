"""Reads that may be a little stale: of a replica of the database, if the shop has one."""

import json
import time
from typing import Any

from storefront import db, settings
from storefront.errors import Unavailable
from storefront.log import logger

RESPONSE_TIMEOUT = 4.0
"""Seconds. Shorter than that of the database, which is asked afterwards."""

PAUSE = 30.0
"""Seconds until a replica that failed is asked again. Until then, no request waits for it."""

_replica = db.Database(settings.read_database_url, RESPONSE_TIMEOUT)
_resumes_at = 0.0


def call(function: str, request: dict[str, Any], *, doubtful: str | None = None) -> tuple[str, str]:
    """Call an SQL function that only reads, on the replica. If it fails, or if there is none, call it on the database.

    doubtful: an outcome that the replica may give because it is late. Then the database is asked, too.
    Return the outcome and the body, as db.call() does. Raises Unavailable.
    """
    global _resumes_at  # noqa: PLW0603  one per execution environment
    text = json.dumps(request)
    if settings.read_database_url() and time.monotonic() >= _resumes_at:
        try:
            found = _replica.call(function, text, repeatable=False)
            if found[0] != doubtful:
                return found
        # RuntimeError: after a deployment, the new SQL functions may not have arrived there yet. ValueError: a wrong
        # address.
        except (Unavailable, RuntimeError, ValueError) as error:
            cause = getattr(error, "cause", None) or repr(error.__cause__ or error)
            logger.warning("The replica failed. The request goes to the database.", cause=cause)
            _resumes_at = time.monotonic() + PAUSE
    return db.call(function, text, repeatable=True)
