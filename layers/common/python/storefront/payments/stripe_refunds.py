"""Stripe's events about refunds and disputes. The status of the object decides, whatever the type.

https://docs.stripe.com/api/refunds/object and https://docs.stripe.com/api/disputes/object
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from storefront.payments import values
from storefront.payments.models import DisputeStatus, PaymentEvent, ReportedRefundStatus
from storefront.payments.reading import BrokenRule, Reading, invalid, with_minor_units

REFUND_STATUSES: dict[str, ReportedRefundStatus] = {
    "pending": "pending",
    "requires_action": "pending",
    "succeeded": "succeeded",
    "failed": "failed",
    "canceled": "canceled",
}

DISPUTE_STATUSES: dict[str, DisputeStatus] = {
    "warning_needs_response": "open",
    "warning_under_review": "open",
    "needs_response": "open",
    "under_review": "open",
    "appeal_needs_response": "open",
    "appeal_under_review": "open",
    "won": "won",
    "warning_closed": "won",
    # If money went back, it did so in a refund, which has its own events. As lost money, it would count twice.
    "prevented": "won",
    "charge_refunded": "won",
    "lost": "lost",
}

_NOT_CAPTURED = ("expired_uncaptured_charge", "partial_capture")
"""The reasons of refunds that only release an authorization."""


def _refund(event: PaymentEvent, refund: dict[str, Any]) -> Reading:
    refund_id = values.uuid(values.mapping(refund.get("metadata")).get("refund_id"))
    if refund.get("reason") in _NOT_CAPTURED:
        return Reading(event._replace(reason="not_captured"))
    if not (event.payment_reference or event.order_id or refund_id):
        # Stripe also refunds a customer's balance, without a payment.
        return Reading(event._replace(reason="no_payment_named"))
    # Stripe documents that the status can be null.
    status = "pending" if refund.get("status") is None else values.text(refund["status"])
    event = event._replace(refund_id=refund_id, refund_status=REFUND_STATUSES.get(status or ""))
    event = with_minor_units(event, refund.get("amount"), refund.get("currency"))
    broken = []
    if event.refund_status is None:
        broken.append(BrokenRule("#/data/object/status", "Input should be a status of a refund"))
    if not (event.object_reference or refund_id):
        broken.append(BrokenRule("#/data/object/id", "Input should be the ID of the refund"))
    return invalid(event, *broken) if broken else Reading(event)


def _refund_total(event: PaymentEvent, charge: dict[str, Any]) -> Reading:
    # The refunds' own events report the same money, so this total is only compared with them.
    reason = "refund_total" if event.payment_reference or event.order_id else "no_payment_named"
    return Reading(with_minor_units(event._replace(reason=reason), _refunded_units(charge), charge.get("currency")))


def _refunded_units(charge: dict[str, Any]) -> Any:
    """Return how much of the captured money was refunded.

    Stripe's amount_refunded includes the part of the authorization that was released without a capture.
    """
    names = ("amount_refunded", "amount", "amount_captured")
    refunded, authorized, captured = (values.minor_units(charge.get(name), 0) for name in names)
    if refunded is None or authorized is None or captured is None:
        return charge.get("amount_refunded")
    return max(refunded - max(authorized - captured, Decimal(0)), Decimal(0))


def _dispute(event: PaymentEvent, dispute: dict[str, Any]) -> Reading:
    if not (event.payment_reference or event.order_id):
        return Reading(event._replace(reason="no_payment_named"))
    status = DISPUTE_STATUSES.get(values.text(dispute.get("status")) or "")
    event = event._replace(dispute_status=status)
    event = with_minor_units(event, dispute.get("amount"), dispute.get("currency"))
    if status is None:
        return invalid(event, BrokenRule("#/data/object/status", "Input should be a status of a dispute"))
    return Reading(event)


READERS: dict[str, Callable[[PaymentEvent, dict[str, Any]], Reading]] = {
    "refund.created": _refund,
    "refund.updated": _refund,
    "refund.failed": _refund,
    "charge.refund.updated": _refund,
    "charge.refunded": _refund_total,
    "charge.dispute.created": _dispute,
    "charge.dispute.updated": _dispute,
    "charge.dispute.closed": _dispute,
    "charge.dispute.funds_withdrawn": _dispute,
    "charge.dispute.funds_reinstated": _dispute,
}
"""The function that reads the object of each type."""
