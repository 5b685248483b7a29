"""Stripe's events: the envelope, PaymentIntents and Checkout Sessions. Refunds and disputes are in stripe_refunds.py.

https://docs.stripe.com/api/events/types
"""

from typing import Any

from storefront.payments import values
from storefront.payments.models import PaymentEvent, ReportedStatus
from storefront.payments.reading import BrokenRule, Reading, invalid, with_minor_units
from storefront.payments.stripe_refunds import READERS

PAYMENT_TYPES: dict[str, tuple[ReportedStatus, tuple[str, ...]]] = {
    "payment_intent.succeeded": ("paid", ("amount_received", "amount")),
    "payment_intent.payment_failed": ("failed", ("amount",)),
    "checkout.session.completed": ("paid", ("amount_total",)),
    "checkout.session.async_payment_succeeded": ("paid", ("amount_total",)),
    "checkout.session.async_payment_failed": ("failed", ("amount_total",)),
}
"""The payment status of each type, and the fields that can contain the amount. The first field present counts."""

PROGRESS_TYPES = {
    "payment_intent.processing": "payment_under_way",
    "payment_intent.amount_capturable_updated": "payment_under_way",
    "payment_intent.canceled": "payment_ended",
    "checkout.session.expired": "payment_ended",
}
"""The reason of each type that says whether a payment can still arrive."""

_SESSION_STATUSES = ("paid", "unpaid", "no_payment_required", None)


def stripe(sent: dict[str, Any]) -> Reading:
    """Read an event. Its type decides what its object is, and with the object's status, what happened to the money."""
    type_, about = sent.get("type"), _object(sent)
    event = PaymentEvent(
        "stripe",
        values.text(type_),
        values.text(sent.get("id")),
        occurred_at=values.time(sent.get("created")),
        livemode=values.boolean(sent.get("livemode")),
        account=values.text(sent.get("account")),
        object_reference=values.text(about.get("id")),
    )
    if not isinstance(type_, str) or not type_:
        broken = BrokenRule("#/type", "Input should be the type of the event")
        return invalid(event._replace(order_id=_order_id(about)), broken)
    event = event._replace(order_id=_order_id(about), payment_reference=_payment_reference(type_, about))
    if type_ in PAYMENT_TYPES:
        return _payment(event, about, *PAYMENT_TYPES[type_])
    if type_ in PROGRESS_TYPES:
        return Reading(_without_payment(event, PROGRESS_TYPES[type_]))
    if type_ in READERS:
        return READERS[type_](event, about)
    return Reading(event._replace(reason="type_not_ours"))


def _payment(
    event: PaymentEvent, payment: dict[str, Any], status: ReportedStatus, amount_fields: tuple[str, ...]
) -> Reading:
    session_status = payment.get("payment_status")
    if session_status not in _SESSION_STATUSES:
        broken = BrokenRule("#/data/object/payment_status", "Input should be a payment status of a session")
        return invalid(event, broken)
    units = next((payment[field] for field in amount_fields if payment.get(field) is not None), None)
    if status == "paid" and session_status == "unpaid":
        # A session is complete before a bank transfer arrives.
        return Reading(_without_payment(event, "payment_under_way"))
    if status == "paid" and session_status == "no_payment_required" and units is None:
        # The session only stored a card. A free order has the amount 0.
        return Reading(_without_payment(event, "not_paid"))
    if status == "failed" and event.order_id is None:
        return Reading(_without_payment(event, "no_order_named"))
    event = with_minor_units(event._replace(payment_status=status), units, payment.get("currency"))
    return Reading(event if event.order_id else event._replace(reason="no_order_named"))


def _without_payment(event: PaymentEvent, reason: str) -> PaymentEvent:
    return event._replace(reason=reason if event.order_id else "no_order_named")


def _object(sent: dict[str, Any]) -> dict[str, Any]:
    return values.mapping(values.mapping(sent.get("data")).get("object"))


def _order_id(about: dict[str, Any]) -> str | None:
    # Other systems of the shop can use the same fields.
    metadata = values.mapping(about.get("metadata"))
    return values.uuid(metadata.get("order_id")) or values.uuid(about.get("client_reference_id"))


def _payment_reference(type_: str, about: dict[str, Any]) -> str | None:
    # Sessions, charges, refunds and disputes name their PaymentIntent. Without one, a charge is the payment.
    is_payment = type_.startswith(("payment_intent.", "checkout.session.")) or type_ == "charge.refunded"
    return _id_of(about.get("payment_intent")) or _id_of(about.get("id" if is_payment else "charge"))


def _id_of(reference: Any) -> str | None:
    """Return the ID of an object that is either named or contained."""
    return values.text(values.mapping(reference).get("id", reference))
