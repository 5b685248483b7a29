"""The audit: find rows that contradict each other, with audit.sql."""

from pathlib import Path
from typing import NamedTuple

from storefront.cold_start.driver import Connection

AUDIT = Path(__file__).with_name("audit.sql")

RESPONSE_TIMEOUT = 290.0
"""Seconds, shorter than the timeout of the function. Auditing a million orders takes a while."""


class Violation(NamedTuple):
    """A broken rule, and the row that breaks it. The id is "" for a row without one."""

    rule: str
    id: str
    detail: str


_WEBHOOK_AGE = """
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::bigint
  FROM orders
 WHERE created_at > coalesce((SELECT max(received_at) FROM payment_events), '-infinity')"""


def webhook_age(connection: Connection) -> int:
    """Return the age of the first order since the last payment event, in seconds; 0 if there is no such order.

    A large age means that orders are placed, but the webhook receives nothing. Raises PostgreSQL's DatabaseError.
    """
    [[seconds]] = connection.run(_WEBHOOK_AGE)
    return int(seconds)


def violations(connection: Connection) -> list[Violation]:
    """Return each row that contradicts another one. Raises PostgreSQL's DatabaseError."""
    rows = connection.run(AUDIT.read_text(encoding="utf-8"))
    return [Violation(rule, id_ or "", detail) for rule, id_, detail in rows or []]
