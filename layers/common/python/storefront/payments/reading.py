"""The result of reading a payment event: what was read, and the problem if that does not decide anything."""

from decimal import Decimal
from typing import Any, NamedTuple

from storefront.errors import InvalidRequest, Problem
from storefront.payments.models import PaymentEvent


class Reading(NamedTuple):
    """An event as far as it can be read. problem: the response, if the event's effect cannot be read."""

    event: PaymentEvent
    problem: Problem | None = None


class BrokenRule(NamedTuple):
    """pointer: the place in the body (RFC 6901)."""

    pointer: str
    detail: str


def unreadable(event: PaymentEvent, reason: str, problem: Problem) -> Reading:
    """Return an event whose effect cannot be read. The problem's detail is stored, so it must not quote the body."""
    return Reading(event._replace(reason=reason, error=problem.detail), problem)


def invalid(event: PaymentEvent, *broken_rules: BrokenRule) -> Reading:
    detail = "; ".join(f"{rule.pointer}: {rule.detail}" for rule in broken_rules)
    problem = InvalidRequest(detail, errors=[{"detail": rule.detail, "pointer": rule.pointer} for rule in broken_rules])
    return unreadable(event, "invalid", problem)


def with_money(event: PaymentEvent, sent: tuple[Any, Any], read: tuple[Decimal | None, str | None]) -> PaymentEvent:
    """Add amount and currency, as they were sent and as they were read. null counts as not sent."""
    event = event._replace(amount=read[0], currency=read[1])
    is_lost = any(one is not None and value is None for one, value in zip(sent, read, strict=True))
    # A payment of an unknown amount must not be applied as if no amount was sent. A failure moved no money.
    return event._replace(reason="amount_unreadable") if is_lost and event.payment_status == "paid" else event
