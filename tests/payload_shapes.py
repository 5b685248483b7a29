"""Shapes of payment events that real senders produce, and what the shop should make of each.

Each shape changes one thing of an event that reports a payment of 19.90 USD for one order. The shop accepts real money
(PaymentMode=live) of the account acct_shop. Add a line here for each shape that a sender surprised you with.
"""

import json
from typing import Any, NamedTuple

from storefront.payments.signatures import Scheme
from tests.payload_bodies import (
    MISSING,
    NOON,
    body_of,
    completed,
    envelope,
    intent,
    named,
    native,
    raw,
    session,
    stripe,
)
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
    NO_READABLE_ORDER,
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


_NATIVE: dict[str, tuple[Any, Effect]] = {
    "every field": (native(), PAID.showing(occurred_at=NOON, livemode=None)),
    "two fields": (
        {"order_id": "{order}", "payment_status": "paid"},
        PAID.showing(event_id="{hash}", amount=None, currency=None),
    ),
    "spaces and unknown fields": (json.dumps(native(note={}), indent=8).encode(), PAID),
    # Values that decide nothing.
    "time: nine decimal places": (native(occurred_at="2026-11-29T13:00:00.123456789+01:00"), PAID),
    "time: seconds": (native(occurred_at=1795953600), PAID.showing(occurred_at=NOON)),
    "time: milliseconds": (native(occurred_at=1795953600000), PAID.showing(occurred_at=NOON)),
    "time: without an offset": (native(occurred_at="2026-11-29T12:00:00"), PAID.showing(occurred_at=None)),
    "time: after the year 9999": (native(occurred_at="9999-12-31T23:59:59-12:00"), PAID.showing(occurred_at=None)),
    "time: NUL": (native(occurred_at=f"{NOON}\0"), PAID.showing(occurred_at=None)),
    "ID: a number": (native(event_id=9007199254740993), PAID.showing(event_id="9007199254740993")),
    "ID: blank": (native(event_id=" "), PAID.showing(event_id="{hash}")),
    "ID: 300 characters": (native(event_id="e" * 300), PAID.showing(event_id="{hash}")),
    "ID: NUL": (native(event_id="{id}\0"), PAID.showing(event_id="{hash}")),
    "ID: half an emoji": (native(event_id="{id}\ud83d"), PAID.showing(event_id="{hash}")),
    "reference": (native(payment_reference=" pay_{id}\n"), PAID.showing(payment_reference="pay_{id}")),
    "reference: a number": (
        native(payment_reference=9007199254740993),
        PAID.showing(payment_reference="9007199254740993"),
    ),
    "reference: without an ID of the event": (
        native(event_id=MISSING, payment_reference="pay_{id}"),
        PAID.showing(event_id="{hash}", payment_reference="pay_{id}"),
    ),
    "reference: 300 characters": (native(payment_reference="r" * 300), PAID.showing(payment_reference=None)),
    "reference: an object": (native(payment_reference={"id": "pay_{id}"}), PAID.showing(payment_reference=None)),
    "reference: NUL": (native(payment_reference="\0"), PAID.showing(payment_reference=None)),
    "NUL and Latin-1 in a text": (
        json.dumps(native(note=["\0", "fu\xdf"]), ensure_ascii=False).encode("latin-1"),
        PAID,
    ),
    "a byte order mark": (b"\xef\xbb\xbf" + json.dumps(native()).encode(), PAID),
    "a line break in a text": (json.dumps(native(note="a b")).encode().replace(b"a b", b"a\nb"), PAID),
    "an unrelated type": (native(type="sale"), PAID),
    "the same name twice": (b'{"amount": "1", ' + json.dumps(native()).encode()[1:], PAID),
    # Amounts and currencies.
    "amount: eight decimal places": (native(amount="19.90000000"), PAID),
    "amount: a number": (native(amount=19.9), PAID),
    "amount: a rounding error": (native(amount=19.900000000000002), PAID),
    "amount: whitespace": (native(amount=" 19.90\n"), PAID),
    "amount: null": (native(amount=None), PAID.showing(amount=None)),
    "amount: cents": (native(amount=1990), OTHER_AMOUNT.showing(amount="1990.00")),
    "amount: half a cent more": (native(amount="19.905"), OTHER_AMOUNT.showing(amount="19.905")),
    "amount: negative": (native(amount="-19.90"), OTHER_AMOUNT.showing(amount="-19.90")),
    "amount: empty": (native(amount=""), AMOUNT_UNREADABLE),
    "amount: a comma": (native(amount="19,90"), AMOUNT_UNREADABLE),
    "amount: thousands": (native(amount="1,990.00"), AMOUNT_UNREADABLE),
    "amount: Arabic digits": (native(amount="\u0661\u0669.\u0669\u0660"), AMOUNT_UNREADABLE),
    "amount: NaN": (native(amount=raw("NaN")), AMOUNT_UNREADABLE),
    "amount: 5000 digits": (native(amount=raw("9" * 5000)), AMOUNT_UNREADABLE),
    "amount: 1e400": (native(amount=raw("1e400")), AMOUNT_UNREADABLE),
    "amount: true": (native(amount=True), AMOUNT_UNREADABLE),
    "currency: lowercase": (native(currency=" usd"), PAID),
    "currency: another one": (native(currency="EUR"), OTHER_CURRENCY.showing(currency="EUR")),
    "currency: a sign": (native(currency="$"), CURRENCY_UNREADABLE),
    "currency: NUL": (native(currency="US\0"), CURRENCY_UNREADABLE),
    "failed: another amount and currency": (
        native(payment_status="failed", amount="5.00", currency="EUR"),
        FAILED.showing(amount="5.00", currency="EUR"),
    ),
    "failed: an amount that cannot be read": (
        native(payment_status="failed", amount="a lot", currency={}),
        FAILED.showing(amount=None, currency=None),
    ),
    # Test money and accounts.
    "test money": (native(livemode=False), OTHER_MODE),
    "test money: 0.0": (native(livemode=0.0), OTHER_MODE),
    "real money: text": (
        native(livemode="True", account=" acct_shop\n"),
        PAID.showing(livemode=True, account="acct_shop"),
    ),
    "another account": (native(account="ACCT_shop"), OTHER_ACCOUNT.showing(account="ACCT_shop")),
    # Orders.
    "order: capitals": (native(order_id="{ORDER}"), PAID),
    "order: without dashes": (native(order_id="{order_digits}"), PAID),
    "order: braces and a line break": (native(order_id="\t{{order}}\r\n"), PAID),
    "order: URN": (native(order_id="URN:UUID:{ORDER}"), PAID),
    "order: unknown": (native(order_id=UNKNOWN_ORDER_ID), UNKNOWN_ORDER),
    "order: missing": (native(order_id=MISSING), NO_READABLE_ORDER),
    "order: one brace": (native(order_id="{{order}"), NO_READABLE_ORDER),
    "order: dashes at other places": (native(order_id="{order_other_dashes}"), NO_READABLE_ORDER),
    "order: fullwidth digits": (native(order_id="{order_fullwidth}"), NO_READABLE_ORDER),
    "order: NUL": (native(order_id="{order}\0"), NO_READABLE_ORDER),
    "order: an emoji cut in two": (native(order_id="{order}\ud83d"), NO_READABLE_ORDER),
    # Statuses.
    "status: capitals": (native(payment_status="PAID"), INVALID),
    "status: a space": (native(payment_status="paid "), INVALID),
    "status: NUL": (native(payment_status="paid\0"), INVALID),
    "status: missing": (native(payment_status=MISSING), INVALID),
    "status: another type": (native(type="payment.failed"), INVALID),
    # Bodies.
    "JSON in a text": (json.dumps(json.dumps(native())).encode(), NO_OBJECT),
    "a list": ([native()], NO_OBJECT),
    "null": (b"null", NO_OBJECT),
    "an empty object": ({}, NO_OBJECT),
}

_STANDARD_WEBHOOKS: dict[str, tuple[Any, Effect]] = {
    "every field": (envelope(), PAID.showing(occurred_at=NOON, type="payment.paid")),
    "native format": (native(), PAID.showing(type=None)),
    "ID only in the header": (envelope(native(event_id=MISSING)), PAID.showing(event_id="{webhook_id}")),
    "time only in the envelope": (
        envelope(native(occurred_at="soon"), timestamp=1795953600),
        PAID.showing(occurred_at=NOON),
    ),
    "time: unreadable": (envelope(native(occurred_at=[]), timestamp="\ud83d"), PAID.showing(occurred_at=None)),
    "failed": (
        envelope(native(amount="1.00", payment_status=None), type="payment.failed"),
        FAILED.showing(amount="1.00"),
    ),
    "test money in the envelope": (envelope(livemode="false"), OTHER_MODE),
    "another type": (envelope(None, type="invoice.paid"), NOT_OURS_OF_THE_ORDER.showing(event_id="{webhook_id}")),
    "another type without data": (envelope([], type="user.created"), NOT_OURS.showing(event_id="{webhook_id}")),
    "type: null": (envelope(type=None), INVALID),
    "data: null": (envelope(data=None), INVALID.showing(order_id=None, event_id="{webhook_id}")),
    "data: a list": (envelope([native()]), INVALID.showing(order_id=None, event_id="{webhook_id}")),
    "data: another status": (envelope(native(payment_status="failed")), INVALID),
    "an empty body": (b"", NOT_JSON.showing(event_id="{webhook_id}")),
}

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
    *(Shape(name, "x_signature", body_of(body), effect) for name, (body, effect) in _NATIVE.items()),
    *(Shape(name, "standard_webhooks", body_of(body), effect) for name, (body, effect) in _STANDARD_WEBHOOKS.items()),
    *(Shape(name, "stripe", body_of(body), effect) for name, (body, effect) in _STRIPE.items()),
    *(
        Shape(f"declared as {type_}", "stripe", body_of(stripe()), effect, type_)
        for type_, effect in _MEDIA_TYPES.items()
    ),
]
