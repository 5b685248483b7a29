"""Shapes of refund and dispute events that real senders produce, and what the shop should make of each.

Each shape changes one thing of an event about an order that received 19.90 USD, with pay_{id} as the reference of the
payment. The shop accepts real money (PaymentMode=live). Add a line for each shape that a sender surprised you with.
"""

from typing import Any, NamedTuple

from storefront.payments.signatures import Scheme
from tests.api_client import UNKNOWN
from tests.payload_bodies import MISSING, NOON, Fields, body_of, raw, stripe


class RefundEffect(NamedTuple):
    """What an event does. rows: the refunds and the disputes of the order afterwards. kind: in the reconciliation."""

    outcome: str
    reason: str | None = None
    rows: tuple[str, ...] = ()
    kind: str | None = None
    status: int = 200


class RefundShape(NamedTuple):
    name: str
    scheme: Scheme
    body: bytes
    effect: RefundEffect


REFUNDED = RefundEffect("applied", rows=("succeeded 5.00 re_{id}",))
PENDING = RefundEffect("applied", rows=("pending 5.00 re_{id}",))
WAITING = RefundEffect("ignored", "payment_unknown")
AMOUNT_UNREADABLE = RefundEffect("needs_review", "amount_unreadable", kind="amount_mismatch")
AMOUNT_ZERO = RefundEffect("ignored", "amount_zero")
OTHER_CURRENCY = RefundEffect("needs_review", "currency_differs", kind="amount_mismatch")
OTHER_MODE = RefundEffect("ignored", "other_mode")
INVALID = RefundEffect("unreadable", "invalid", kind="unreadable_event", status=422)
TOTAL = RefundEffect("ignored", "refund_total")
DISPUTED = RefundEffect("applied", rows=("open",), kind="disputed")


def native(**fields: Any) -> Fields:
    named = {"event_id": "{id}", "payment_reference": "pay_{id}", "processor_refund_id": "re_{id}"}
    return {"type": "refund.succeeded", **named, "occurred_at": NOON, "amount": "5.00", "currency": "USD", **fields}


def envelope(**fields: Any) -> Fields:
    sent = native(**fields)
    return {"type": sent.pop("type"), "timestamp": NOON, "data": sent}


def refund(type_: str = "refund.created", /, **fields: Any) -> Fields:
    named = {"id": "re_{id}", "object": "refund", "payment_intent": "pay_{id}", "charge": "ch_{id}", "metadata": {}}
    return stripe({**named, "amount": 500, "currency": "usd", "status": "succeeded", **fields}, type_)


def charge(**fields: Any) -> Fields:
    money = {"amount": 1990, "amount_captured": 1990, "amount_refunded": 500, "currency": "usd"}
    return stripe(
        {"id": "ch_{id}", "object": "charge", "payment_intent": "pay_{id}", **money, **fields}, "charge.refunded"
    )


def dispute(**fields: Any) -> Fields:
    named = {"id": "dp_{id}", "object": "dispute", "payment_intent": "pay_{id}", "charge": "ch_{id}", "metadata": {}}
    money = {"amount": 1990, "currency": "usd", "status": "needs_response"}
    return stripe({**named, **money, **fields}, "charge.dispute.created")


_NATIVE: dict[str, tuple[Fields, RefundEffect]] = {
    "every field": (native(order_id="{order}", refund_id=UNKNOWN), REFUNDED),
    "only the order": (native(payment_reference=MISSING, order_id="{order}"), REFUNDED),
    "the order and another payment": (native(payment_reference="pay_x{id}", order_id="{order}"), WAITING),
    "an order that cannot be read": (native(order_id="7"), REFUNDED),
    "an order that does not exist": (native(order_id=UNKNOWN), REFUNDED),
    "neither payment nor order": (native(payment_reference=None), INVALID),
    "reference: a number": (native(processor_refund_id=42), REFUNDED._replace(rows=("succeeded 5.00 42",))),
    "reference: missing": (native(processor_refund_id=MISSING), INVALID),
    "reference: missing, with an unknown ID": (
        native(processor_refund_id=None, refund_id=UNKNOWN),
        REFUNDED._replace(rows=("succeeded 5.00",)),
    ),
    "reference: 300 characters": (native(processor_refund_id="r" * 300), INVALID),
    "reference: NUL": (native(processor_refund_id="\0"), INVALID),
    "ID: not a UUID": (native(refund_id="7"), REFUNDED),
    "ID: NUL": (native(refund_id="\0"), REFUNDED),
    "time: missing": (native(occurred_at=MISSING), REFUNDED),
    "time: a date": (native(occurred_at="tomorrow"), REFUNDED),
    "amount: missing": (native(amount=MISSING), AMOUNT_UNREADABLE),
    "amount: a comma": (native(amount="5,00"), AMOUNT_UNREADABLE),
    "amount: 5000 digits": (native(amount=raw("9" * 5000)), AMOUNT_UNREADABLE),
    "amount: NaN": (native(amount=raw("NaN")), AMOUNT_UNREADABLE),
    "amount: 0": (native(amount=0), AMOUNT_ZERO),
    "amount: negative": (native(amount="-5.00"), AMOUNT_ZERO),
    "amount: half a cent": (native(amount="0.005"), REFUNDED._replace(rows=("succeeded 0.005 re_{id}",))),
    "amount: more than was paid": (
        native(amount="19.91"),
        REFUNDED._replace(rows=("succeeded 19.91 re_{id}",), kind="over_refunded"),
    ),
    "currency: lowercase": (native(currency=" usd"), REFUNDED),
    "currency: missing": (native(currency=MISSING), REFUNDED),
    "currency: another one": (native(currency="EUR"), OTHER_CURRENCY),
    "currency: a sign": (native(currency="$"), AMOUNT_UNREADABLE),
    "type: pending": (native(type="refund.pending"), PENDING),
    "type: canceled": (native(type="refund.canceled"), PENDING._replace(rows=("canceled 5.00 re_{id}",))),
    "type: failed": (
        native(type="refund.failed"),
        PENDING._replace(rows=("failed 5.00 re_{id}",), kind="refund_failed"),
    ),
    "type: failed, and nothing went back": (native(type="refund.failed", amount=0), AMOUNT_ZERO),
    "type: capitals": (native(type="REFUND.SUCCEEDED"), INVALID),
    "type and a payment status": (native(payment_status="paid"), INVALID),
    "test money": (native(livemode=False), OTHER_MODE),
    "dispute": (native(type="dispute.opened"), DISPUTED),
    "dispute: lost": (native(type="dispute.lost", amount=MISSING), DISPUTED._replace(rows=("lost",), kind=None)),
    "dispute: an amount that cannot be read": (native(type="dispute.opened", amount="a lot"), DISPUTED),
    "dispute: a negative amount": (native(type="dispute.opened", amount="-5.00"), DISPUTED),
    "dispute: neither payment nor order": (native(type="dispute.opened", payment_reference=[]), INVALID),
}

_STRIPE: dict[str, tuple[Fields, RefundEffect]] = {
    "every field": (refund(), REFUNDED),
    "updated": (refund("refund.updated"), REFUNDED),
    "failed": (
        refund("refund.failed", status="failed"),
        REFUNDED._replace(rows=("failed 5.00 re_{id}",), kind="refund_failed"),
    ),
    "failed type of a refund that succeeded": (refund("refund.failed"), REFUNDED),
    "older type": (refund("charge.refund.updated"), REFUNDED),
    "payment: an object": (refund(payment_intent={"id": "pay_{id}"}), REFUNDED),
    "payment: only the charge": (refund(payment_intent=None, metadata={"order_id": "{order}"}), WAITING),
    "payment: none": (refund(payment_intent=None, charge=None), RefundEffect("ignored", "no_payment_named")),
    "status: requires_action": (refund(status="requires_action"), PENDING),
    "status: null": (refund(status=None), PENDING),
    "status: a new one": (refund(status="reversed"), INVALID),
    "status: a list": (refund(status=["succeeded"]), INVALID),
    "ID: missing": (refund(id=MISSING), INVALID),
    "metadata: an empty list, as PHP writes it": (refund(metadata=[]), REFUNDED),
    "metadata: null": (refund(metadata=None), REFUNDED),
    "metadata: another system's refund": (refund(metadata={"refund_id": "R-7"}), REFUNDED),
    "amount: half a cent": (refund(amount=500.5), AMOUNT_UNREADABLE),
    "amount: 0": (refund(amount=0), AMOUNT_ZERO),
    "currency: missing": (refund(currency=MISSING), AMOUNT_UNREADABLE),
    "currency: no decimal places": (refund(currency="jpy"), OTHER_CURRENCY),
    "partial capture": (refund(reason="partial_capture"), RefundEffect("ignored", "not_captured")),
    "expired authorization": (refund(reason="expired_uncaptured_charge"), RefundEffect("ignored", "not_captured")),
    "charge: a refund that is not known": (charge(), TOTAL._replace(kind="amount_mismatch")),
    "charge: nothing refunded": (charge(amount_refunded=0), TOTAL),
    "charge: released without a capture": (charge(amount=2490), TOTAL),
    "charge: an amount that cannot be read": (charge(amount_refunded="5.00"), TOTAL),
    "charge: another currency": (charge(currency="eur"), TOTAL),
    "dispute": (dispute(), DISPUTED),
    "dispute: prevented": (dispute(status="prevented"), DISPUTED._replace(rows=("won",), kind=None)),
    "dispute: without an ID": (dispute(id=None), DISPUTED),
    "dispute: without an amount": (dispute(amount=None, currency=None), DISPUTED),
    "dispute: a new status": (dispute(status="reopened"), INVALID),
    "dispute: no payment": (
        dispute(payment_intent=None, charge=None),
        RefundEffect("ignored", "no_payment_named"),
    ),
}

REFUND_SHAPES = [
    *(RefundShape(f"native: {name}", "x_signature", body_of(body), effect) for name, (body, effect) in _NATIVE.items()),
    RefundShape("envelope", "standard_webhooks", body_of(envelope()), REFUNDED),
    RefundShape(
        "envelope: another payment", "standard_webhooks", body_of(envelope(payment_reference="x{id}")), WAITING
    ),
    RefundShape("envelope: a dispute", "standard_webhooks", body_of(envelope(type="dispute.opened")), DISPUTED),
    RefundShape("envelope: no reference", "standard_webhooks", body_of(envelope(processor_refund_id=[])), INVALID),
    *(RefundShape(f"Stripe: {name}", "stripe", body_of(body), effect) for name, (body, effect) in _STRIPE.items()),
]
