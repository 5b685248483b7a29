"""Refunds and disputes in the native format and in Standard Webhooks: the type and the fields."""

from typing import Any

from storefront.payments import values
from storefront.payments.models import DisputeStatus, PaymentEvent, ReportedRefundStatus
from storefront.payments.reading import BrokenRule, Reading, invalid, read_money

REFUND_TYPES: dict[str, ReportedRefundStatus] = {
    "refund.pending": "pending",
    "refund.canceled": "canceled",
    "refund.succeeded": "succeeded",
    "refund.failed": "failed",
}

DISPUTE_TYPES: dict[str, DisputeStatus] = {
    "dispute.opened": "open",
    "dispute.won": "won",
    "dispute.lost": "lost",
}

REFUND_AND_DISPUTE_TYPES = (*REFUND_TYPES, *DISPUTE_TYPES)

KNOWN_TYPES = "Input should be " + ", ".join(map(repr, REFUND_AND_DISPUTE_TYPES[:-1]))
KNOWN_TYPES += f" or {REFUND_AND_DISPUTE_TYPES[-1]!r}"


def is_unknown_type(type_: Any) -> bool:
    """Return whether a type is the one of a refund or a dispute, as far as its beginning shows, but not a known one."""
    is_about_refund = isinstance(type_, str) and type_.startswith(("refund.", "dispute."))
    return is_about_refund and type_ not in REFUND_AND_DISPUTE_TYPES


def refund_or_dispute(event: PaymentEvent, type_: str, sent: dict[str, Any], place: str) -> Reading:
    """Read an event of one of REFUND_AND_DISPUTE_TYPES. sent: its fields. place: the pointer to them in the body."""
    event = event._replace(type=type_)
    if sent.get("payment_status") is not None:
        return invalid(event, BrokenRule(f"{place}/payment_status", "type and payment_status should say the same"))
    event = event._replace(dispute_status=DISPUTE_TYPES.get(type_))
    broken = []
    if not (event.payment_reference or event.order_id):
        detail = "Input should have a payment_reference, or an order_id that is a UUID"
        broken.append(BrokenRule(f"{place}/payment_reference", detail))
    if type_ in REFUND_TYPES:
        event = event._replace(
            refund_status=REFUND_TYPES[type_],
            refund_id=values.uuid(sent.get("refund_id")),
            object_reference=values.text(sent.get("processor_refund_id")),
        )
        if not (event.object_reference or event.refund_id):
            detail = "Input should have a processor_refund_id, or a refund_id that is a UUID"
            broken.append(BrokenRule(f"{place}/processor_refund_id", detail))
    return read_money(event, sent, broken)
