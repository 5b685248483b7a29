"""The audit of the books: audit.sql, run as it is."""

from pathlib import Path
from typing import NamedTuple

from storefront.cold_start.driver import Connection

AUDIT = Path(__file__).with_name("audit.sql")

ANSWER_TIMEOUT = 290.0
"""Seconds, just below the function's own: a million orders take a while."""


class Violation(NamedTuple):
    """A rule that does not hold, and the row it does not hold for; the id is "" where the row has none."""

    rule: str
    id: str
    detail: str


_WEBHOOK_AGE = """
SELECT coalesce(extract(epoch FROM now() - min(created_at)), 0)::bigint
  FROM orders
 WHERE created_at > coalesce((SELECT max(received_at) FROM payment_events), '-infinity')"""


def webhook_age(connection: Connection) -> int:
    """For how long orders have been placed without any payment event: seconds since the first one after the last event.

    0 where no order was. Raises PostgreSQL's DatabaseError.
    """
    [[seconds]] = connection.run(_WEBHOOK_AGE)
    return int(seconds)


def violations(connection: Connection) -> list[Violation]:
    """Every row that contradicts another one; none where the books are right. Raises PostgreSQL's DatabaseError."""
    rows = connection.run(AUDIT.read_text(encoding="utf-8"))
    return [Violation(rule, id_ or "", detail) for rule, id_, detail in rows or []]
