"""Shapes of payment events that real senders produce, and what the shop should make of each.

Each shape changes one thing of an event that reports a payment of 19.90 USD for one order. The shop accepts real money
(PaymentMode=live) of the account acct_shop. Add a line here for each shape that a sender surprised you with.
"""

import json
from typing import Any, NamedTuple

from storefront.payments.signatures import Scheme
from tests.native_payload_shapes import NATIVE, STANDARD_WEBHOOKS
from tests.payload_bodies import MISSING, NOON, body_of, completed, intent, named, native, raw, session, stripe
from tests.payload_effects import (
    AMOUNT_UNREADABLE,
    CURRENCY_UNREADABLE,
    ENDED,
    FAILED,
    IN_PROGRESS,
    INVALID,
    MONEY,
    MONEY_WITHOUT_ORDER,
    NO_OBJECT,
    NO_ORDER_AND_NO_MONEY,
    NOT_DECLARED_AS_JSON,
    NOT_JSON,
    NOT_OURS,
    NOT_OURS_OF_THE_ORDER,
    NOT_PAID,
    OTHER_ACCOUNT,
    OTHER_AMOUNT,
    OTHER_CURRENCY,
    OTHER_MODE,
    PAID,
    UNKNOWN_ORDER,
    UNKNOWN_ORDER_ID,
    Effect,
)


class Shape(NamedTuple):
    name: str
    scheme: Scheme
    body: bytes
    effect: Effect
    media_type: str = "application/json"


_STRIPE: dict[str, tuple[Any, Effect]] = {
    "PaymentIntent": (stripe(), PAID.showing(livemode=True, occurred_at=NOON, payment_reference="pi_{id}")),
    "session": (completed(), PAID.showing(payment_reference="pi_{id}")),
    "session: no payment status": (completed(payment_status=MISSING), PAID),
    "native format": (native(), PAID),
    # Values that decide nothing.
    "created: nanoseconds": (
        stripe(created="2026-11-29T12:00:00.123456789Z"),
        PAID.showing(occurred_at="2026-11-29T12:00:00.123456Z"),
    ),
    "created: a boolean": (stripe(created=True), PAID.showing(occurred_at=None)),
    "ID: missing": (stripe(id=MISSING), PAID.showing(event_id="{hash}")),
    "5000 digits": (stripe(intent(note=raw("9" * 5000))), PAID),
    "NaN and 1e400": (stripe(intent(note=[raw("NaN"), raw("-1e400")])), PAID),
    "half an emoji in a name": (stripe(intent(**{"\ud83d": "\ude00"})), PAID),
    "NUL": (stripe(intent(metadata={"order_id": "{order}", "\0": "\0"})), PAID),
    # Orders.
    "order: whitespace": (named("\u00a0{order}\t"), PAID),
    "metadata: missing": (stripe(intent(metadata=MISSING)), MONEY_WITHOUT_ORDER),
    "metadata: an empty list, as PHP writes it": (stripe(intent(metadata=[])), MONEY_WITHOUT_ORDER),
    "order: another system's number": (named("10482"), MONEY_WITHOUT_ORDER),
    "order: NUL": (named("{order}\0"), MONEY_WITHOUT_ORDER),
    "order: fullwidth digits": (named("{order_fullwidth}"), MONEY_WITHOUT_ORDER),
    "order: dashes at other places": (named("{order_other_dashes}"), MONEY_WITHOUT_ORDER),
    "order: another system's UUID": (named(UNKNOWN_ORDER_ID), UNKNOWN_ORDER),
    "client_reference_id": (completed(metadata={}, client_reference_id="{order_digits}"), PAID),
    "client_reference_id next to a foreign order": (
        completed(metadata={"order_id": "7"}, client_reference_id="{order}"),
        PAID,
    ),
    "client_reference_id of a customer next to the order": (completed(client_reference_id=UNKNOWN_ORDER_ID), PAID),
    "client_reference_id without an order": (
        completed(metadata=None, client_reference_id="user_42"),
        MONEY_WITHOUT_ORDER,
    ),
    "failed, without an order": (stripe(intent(metadata={}), "payment_intent.payment_failed"), NO_ORDER_AND_NO_MONEY),
    "in progress, without an order": (stripe(intent(metadata={}), "payment_intent.processing"), NO_ORDER_AND_NO_MONEY),
    # Amounts and currencies.
    "amount: null": (stripe(intent(amount=None, amount_received=None)), PAID.showing(amount=None)),
    "amount: 1990.0": (stripe(intent(amount_received=1990.0)), PAID),
    "amount: part of it": (stripe(intent(amount_received=1000)), OTHER_AMOUNT.showing(amount="10.00")),
    "amount: half a cent": (stripe(intent(amount_received=1990.5)), AMOUNT_UNREADABLE),
    "amount: 5000 digits": (stripe(intent(amount_received=raw("9" * 5000))), AMOUNT_UNREADABLE),
    "amount: free of charge": (
        completed(amount_total=0, payment_status="no_payment_required"),
        OTHER_AMOUNT.showing(amount="0.00"),
    ),
    "currency: missing": (stripe(intent(currency=MISSING)), CURRENCY_UNREADABLE.showing(amount=None)),
    "currency: no decimal places": (
        stripe(intent(currency="jpy")),
        OTHER_AMOUNT.showing(amount="1990.00", currency="JPY"),
    ),
    "currency: two decimal places at Stripe": (
        stripe(intent(currency="ugx")),
        OTHER_CURRENCY.showing(**MONEY | {"currency": "UGX"}),
    ),
    "currency: three decimal places": (
        stripe(intent(currency="kwd")),
        OTHER_AMOUNT.showing(amount="1.99", currency="KWD"),
    ),
    "failed: another amount": (
        stripe(intent(amount=5), "payment_intent.payment_failed"),
        FAILED.showing(amount="0.05"),
    ),
    "failed bank debit": (stripe(session(payment_status="unpaid"), "checkout.session.async_payment_failed"), FAILED),
    # Payments in progress.
    "unpaid session": (completed(payment_status="unpaid"), IN_PROGRESS.showing(payment_reference="pi_{id}")),
    "paid type of an unpaid session": (
        stripe(session(payment_status="unpaid"), "checkout.session.async_payment_succeeded"),
        IN_PROGRESS,
    ),
    "processing": (stripe(intent(amount_received=0), "payment_intent.processing"), IN_PROGRESS),
    "authorized for another amount": (
        stripe(intent(amount=1), "payment_intent.amount_capturable_updated"),
        IN_PROGRESS,
    ),
    "canceled": (stripe(intent(), "payment_intent.canceled"), ENDED),
    "expired session": (stripe(session(payment_status="unpaid"), "checkout.session.expired"), ENDED),
    "session that stores a card": (completed(amount_total=None, payment_status="no_payment_required"), NOT_PAID),
    "3-D Secure": (stripe(intent(), "payment_intent.requires_action"), NOT_OURS_OF_THE_ORDER),
    # Test money and accounts.
    "test money": (stripe(livemode=False), OTHER_MODE),
    "test money: text": (stripe(livemode="false"), OTHER_MODE),
    "test money: 0": (stripe(livemode=0), OTHER_MODE),
    "real money: 1": (stripe(livemode=1), PAID.showing(livemode=True)),
    "no mode": (stripe(livemode=None), PAID.showing(livemode=None)),
    "real event with a test object": (stripe(intent(livemode=False)), PAID.showing(livemode=True)),
    "account of the shop": (stripe(account="acct_shop"), PAID.showing(account="acct_shop")),
    "another account": (stripe(account="acct_other"), OTHER_ACCOUNT.showing(account="acct_other")),
    # Types and objects.
    "ping": (stripe([], "v2.core.event_destination.ping", created="2026-11-29T12:00:00.1Z"), NOT_OURS),
    "thin event": (stripe("pi_{id}", "v1.payment_intent.succeeded"), NOT_OURS),
    "type: 300 characters": (stripe(None, "t" * 300), NOT_OURS_OF_THE_ORDER.showing(type=None)),
    "type: NUL": (stripe(None, "payment_intent.succeeded\0"), NOT_OURS_OF_THE_ORDER.showing(type=None)),
    "type: missing": (stripe(None, MISSING), INVALID),
    "object: only its ID": (stripe("pi_{id}"), MONEY_WITHOUT_ORDER.showing(amount=None, currency=None)),
    "data: null": (stripe(data=None), MONEY_WITHOUT_ORDER.showing(amount=None, currency=None)),
    "session: another payment status": (completed(payment_status="funded"), INVALID),
    # Bodies.
    "20000 levels": (stripe(intent(note=raw("[" * 20000 + "]" * 20000))), NOT_JSON),
    "two documents": (json.dumps(stripe()).encode() + b"\n{}", NOT_JSON),
    "cut off": (json.dumps(stripe()).encode()[:-1], NOT_JSON),
    "UTF-16": (json.dumps(stripe()).encode("utf-16"), NOT_JSON),
    "a list": ([stripe()], NO_OBJECT),
}

_MEDIA_TYPES: dict[str, Effect] = {
    "": NOT_DECLARED_AS_JSON,
    "text/plain": NOT_DECLARED_AS_JSON,
    "application/cloudevents+json": NOT_DECLARED_AS_JSON,
    "application/json,application/json": NOT_DECLARED_AS_JSON,
    " Application/JSON ;charset=utf-8": PAID,
}

SHAPES = [
    *(Shape(name, "x_signature", body_of(body), effect) for name, (body, effect) in NATIVE.items()),
    *(Shape(name, "standard_webhooks", body_of(body), effect) for name, (body, effect) in STANDARD_WEBHOOKS.items()),
    *(Shape(name, "stripe", body_of(body), effect) for name, (body, effect) in _STRIPE.items()),
    *(
        Shape(f"declared as {type_}", "stripe", body_of(stripe()), effect, type_)
        for type_, effect in _MEDIA_TYPES.items()
    ),
]
