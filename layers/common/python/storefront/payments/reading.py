"""The result of reading a payment event: what was read, and the problem if that does not decide anything."""

from decimal import Decimal
from typing import Any, NamedTuple

from storefront.currencies import EXPONENTS
from storefront.errors import InvalidRequest, Problem
from storefront.payments import values
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
    # Money of an unknown amount must not be counted as if no amount was sent. A payment that failed moved no money.
    is_money = event.payment_status == "paid" or event.refund_status or event.dispute_status
    return event._replace(reason="amount_unreadable") if is_lost and is_money else event


def with_minor_units(event: PaymentEvent, units: Any, currency: Any) -> PaymentEvent:
    """Add an amount in the currency's smallest unit, and the currency, as with_money does."""
    code = values.currency(currency)
    # The number of decimal places depends on the currency.
    amount = None if code is None else values.minor_units(units, EXPONENTS.get(code, 2))
    return with_money(event, sent=(units, currency), read=(amount, code))


def read_money(event: PaymentEvent, sent: dict[str, Any], broken: list[BrokenRule]) -> Reading:
    """Add amount and currency of the native format, and return the event with the rules that it breaks, if any."""
    amount, currency = sent.get("amount"), sent.get("currency")
    event = with_money(event, sent=(amount, currency), read=(values.amount(amount), values.currency(currency)))
    return invalid(event, *broken) if broken else Reading(event)
