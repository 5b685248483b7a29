"""Shapes of payment events in Storefront's native format and of Standard Webhooks, for payload_shapes.py."""

import json
from typing import Any

from tests.payload_bodies import MISSING, NOON, envelope, native, raw
from tests.payload_effects import (
    AMOUNT_UNREADABLE,
    CURRENCY_UNREADABLE,
    FAILED,
    INVALID,
    NO_OBJECT,
    NO_READABLE_ORDER,
    NOT_JSON,
    NOT_OURS,
    NOT_OURS_OF_THE_ORDER,
    OTHER_ACCOUNT,
    OTHER_AMOUNT,
    OTHER_CURRENCY,
    OTHER_MODE,
    PAID,
    UNKNOWN_ORDER,
    UNKNOWN_ORDER_ID,
    Effect,
)

NATIVE: dict[str, tuple[Any, Effect]] = {
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

STANDARD_WEBHOOKS: dict[str, tuple[Any, Effect]] = {
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
