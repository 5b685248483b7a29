"""The formats of payment events. Pure functions.

native             {"order_id", "payment_status"}, and optionally event_id, amount, currency, occurred_at, livemode,
                   account and payment_reference. Refunds and disputes are in native_refunds.py.

Standard Webhooks  {"type": "payment.paid" | "payment.failed" | a type of native_refunds.py,
                    "data": the fields of the native format}
                   https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

Stripe             in stripe.py

A new provider needs one function that reads a JSON object, and one entry in PROVIDERS. It refuses only what leaves the
effect of the event open. Unknown fields are ignored, because processors add fields over time.
"""

from collections.abc import Callable
from typing import Any

from storefront.errors import MalformedBody, UnsupportedMediaType
from storefront.payments import values
from storefront.payments.models import PaymentEvent, ReportedStatus
from storefront.payments.native_refunds import (
    KNOWN_TYPES,
    REFUND_AND_DISPUTE_TYPES,
    is_unknown_type,
    refund_or_dispute,
)
from storefront.payments.reading import BrokenRule, Reading, invalid, read_money, unreadable
from storefront.payments.signatures import Scheme
from storefront.payments.stripe import PAYMENT_TYPES, stripe

ENVELOPE_TYPES: dict[str, ReportedStatus] = {"payment.paid": "paid", "payment.failed": "failed"}

_STATUSES: tuple[ReportedStatus, ...] = ("paid", "failed")


def native(sent: dict[str, Any]) -> Reading:
    event, type_, status = _details("storefront", sent), sent.get("type"), sent.get("payment_status")
    if type_ in REFUND_AND_DISPUTE_TYPES:
        return refund_or_dispute(event, type_, sent, "#")
    if is_unknown_type(type_) and status not in _STATUSES:
        return read_money(event._replace(type=values.text(type_)), sent, [BrokenRule("#/type", KNOWN_TYPES)])
    event = event._replace(payment_status=status if status in _STATUSES else None)
    broken = _broken_order_id(event, "#/order_id")
    if event.payment_status is None:
        broken.append(BrokenRule("#/payment_status", "Input should be 'paid' or 'failed'"))
    return read_money(event, sent, broken)


def standard_webhooks(sent: dict[str, Any]) -> Reading:
    type_, data = sent.get("type"), values.mapping(sent.get("data"))
    event = PaymentEvent(
        "standard_webhooks",
        values.text(type_),
        occurred_at=values.time(sent.get("timestamp")),
        livemode=values.boolean(sent.get("livemode")),
        account=values.text(sent.get("account")),
    )
    details = _details("standard_webhooks", data)
    if isinstance(type_, str) and type_ and type_ not in (*ENVELOPE_TYPES, *REFUND_AND_DISPUTE_TYPES):
        # An erasure of personal data finds the event by these.
        event = event._replace(order_id=details.order_id, payment_reference=details.payment_reference)
        return Reading(event._replace(reason="type_not_ours"))
    event = details._replace(
        type=event.type,
        occurred_at=details.occurred_at or event.occurred_at,
        livemode=event.livemode if details.livemode is None else details.livemode,
        account=details.account or event.account,
    )
    if type_ in REFUND_AND_DISPUTE_TYPES:
        return refund_or_dispute(event, type_, data, "#/data")
    if event.type not in ENVELOPE_TYPES:
        return invalid(event, BrokenRule("#/type", "Input should be the type of the event"))
    broken = _broken_order_id(event, "#/data/order_id")
    if data.get("payment_status") in (None, ENVELOPE_TYPES[event.type]):
        event = event._replace(payment_status=ENVELOPE_TYPES[event.type])
    else:
        broken.append(BrokenRule("#/data/payment_status", "type and data.payment_status should say the same"))
    return read_money(event, data, broken)


PROVIDERS: dict[Scheme, Callable[[dict[str, Any]], Reading]] = {
    "x_signature": native,
    "standard_webhooks": standard_webhooks,
    "stripe": stripe,
}
"""The format for each kind of signature. The native format is accepted with all of them."""


def read_event(scheme: Scheme, body: bytes, *, is_json: bool = True) -> Reading:
    """Read the event in a body, as far as possible. is_json: whether the body was declared as JSON."""
    try:
        sent = values.parse_json(body)
    except ValueError as error:
        reading = unreadable(_nothing(scheme), "not_json", MalformedBody(f"The body is not JSON. {error}"))
    else:
        reading = _read_object(scheme, sent)
    return reading if is_json else unreadable(reading.event, "media_type", UnsupportedMediaType())


def _read_object(scheme: Scheme, sent: Any) -> Reading:
    if not isinstance(sent, dict):
        return invalid(_nothing(scheme), BrokenRule("#", "Input should be an object"))
    reading = (native if _is_native(sent) else PROVIDERS[scheme])(sent)
    # Choosing one of the two would be a guess, in every format.
    if _contradicts(sent.get("payment_status"), sent.get("type")):
        broken = BrokenRule("#/payment_status", "type and payment_status should say the same")
        event = reading.event._replace(payment_status=None, refund_status=None, dispute_status=None)
        return invalid(event, broken)
    return reading


def _nothing(scheme: Scheme) -> PaymentEvent:
    return PROVIDERS[scheme]({}).event


def _is_native(sent: dict[str, Any]) -> bool:
    # The other formats have type and data, and can have further fields, even order_id.
    if sent.get("type") in REFUND_AND_DISPUTE_TYPES:
        return sent.get("data") is None
    has_order, has_status, has_type, has_data = (
        sent.get(name) is not None for name in ("order_id", "payment_status", "type", "data")
    )
    return (has_order or has_status) if not has_type else has_order and has_status and not has_data


def _contradicts(status: Any, type_: Any) -> bool:
    if status not in _STATUSES or not isinstance(type_, str):
        return False
    by_type = PAYMENT_TYPES[type_][0] if type_ in PAYMENT_TYPES else ENVELOPE_TYPES.get(type_)
    return type_ in REFUND_AND_DISPUTE_TYPES or by_type not in (None, status)


def _details(provider: str, sent: dict[str, Any]) -> PaymentEvent:
    return PaymentEvent(
        provider,
        event_id=values.text(sent.get("event_id")),
        order_id=values.uuid(sent.get("order_id")),
        occurred_at=values.time(sent.get("occurred_at")),
        livemode=values.boolean(sent.get("livemode")),
        account=values.text(sent.get("account")),
        payment_reference=values.text(sent.get("payment_reference")),
    )


def _broken_order_id(event: PaymentEvent, pointer: str) -> list[BrokenRule]:
    return [] if event.order_id else [BrokenRule(pointer, "Input should be a UUID")]
