"""The values of payment events: which forms are read, and which values decide nothing."""

import base64
import json
from collections.abc import Callable
from typing import Any, get_args

import pytest
from pg8000.native import Connection

from storefront.payments.signatures import Scheme
from tests.api_client import ApiClient, expect
from tests.handlers.conftest import stripe_event_for


@pytest.mark.parametrize(
    "field",
    [
        '"occurred_at": "2026-01-31T12:00:00.1234567Z"',
        '"occurred_at": "2026-01-31T12:00:00.123456789+00:00"',
        '"occurred_at": 1769860800',
        '"occurred_at": ""',
        '"occurred_at": "31.01.2026"',
        '"event_id": 4711',
        '"event_id": {"id": 1}',
        '"event_id": "\\ud83d"',
        '"amount": "4.50000000"',
        '"amount": 4.50000000',
        '"amount": " 4.5\\n"',
        '"currency": " usd "',
        '"note": "half an emoji: \\ud83d"',
        '"note": NaN',
        f'"note": 1{"0" * 5000}',
        '"livemode": "maybe", "account": [], "payment_reference": {}',
    ],
    ids=lambda field: field[:50],
)
@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_data_that_decides_nothing_is_no_reason_to_refuse_a_payment(
    api: ApiClient, order: dict[str, Any], scheme: str, field: str
) -> None:
    body = f'{{"order_id": "{order["id"]}", "payment_status": "paid", {field}}}'
    assert expect(200, api.deliver(body.encode(), scheme))["outcome"] == "applied"
    assert api.payment_status(order["id"]) == "paid"


@pytest.mark.parametrize(
    "change",
    [
        {"created": "2026-01-31T12:00:00.123456789Z", "object": "v2.core.event"},
        {"created": {}, "id": 7},
        {"note": "\ud83d"},
    ],
    ids=str,
)
def test_data_that_decides_nothing_is_no_reason_to_refuse_a_stripe_event(
    api: ApiClient, order: dict[str, Any], change: dict[str, Any]
) -> None:
    assert expect(200, api.deliver({**stripe_event_for(order), **change}, "stripe"))["outcome"] == "applied"
    other = {**stripe_event_for(order), **change, "type": "v2.core.event_destination.ping", "id": "evt_ping"}
    assert expect(200, api.deliver(other, "stripe"))["outcome"] == "ignored"


@pytest.mark.parametrize("encode", [lambda text: b"\xef\xbb\xbf" + text, lambda text: text.replace(b"x", b"\xff")])
def test_bytes_that_decide_nothing_are_no_reason_to_refuse_a_payment(
    api: ApiClient, order: dict[str, Any], encode: Callable[[bytes], bytes], database: Connection
) -> None:
    body = encode(json.dumps({"order_id": order["id"], "payment_status": "paid", "note": "x"}).encode())
    assert expect(200, api.deliver(body))["outcome"] == "applied"
    [[stored, is_base64]] = database.run("SELECT body, body_is_base64 FROM payment_events")
    assert (base64.b64decode(stored) if is_base64 else stored.encode()) == body


@pytest.mark.parametrize(
    "fields",
    [
        {"amount": "9" * 100, "occurred_at": "9999-12-31T23:59:59.999999999Z"},
        {"amount": f"-0.{'3' * 100}", "occurred_at": "0001-01-01T00:00:00Z"},
        {"amount": 1e99, "event_id": "🍵" * 255, "account": "\x7f\x01" * 100, "payment_reference": "�" * 255},
        {"amount": 10**99, "currency": "abcdefghij", "event_id": int("9" * 100), "livemode": 1},
        {"amount": 1e-99, "event_id": -0.0, "account": " "},
    ],
    ids=["large", "small", "wide", "integers", "tiny"],
)
def test_every_value_that_is_read_can_be_stored(api: ApiClient, order: dict[str, Any], fields: dict[str, Any]) -> None:
    assert expect(200, api.pay(order["id"], **fields))["outcome"] == "needs_review"


@pytest.mark.parametrize("form", ["{{{}}}", " {}\n", "urn:uuid:{}"])
def test_an_order_id_may_have_any_common_form(api: ApiClient, order: dict[str, Any], form: str) -> None:
    assert expect(200, api.pay(form.format(order["id"].upper())))["order_id"] == order["id"]
    assert expect(200, api.pay(order["id"].replace("-", "")))["outcome"] == "duplicate"


def test_a_session_can_name_its_order_in_client_reference_id(api: ApiClient, order: dict[str, Any]) -> None:
    session = stripe_event_for(order, "checkout.session.completed", amount_total=450)
    session["data"]["object"] |= {"metadata": {}, "client_reference_id": order["id"]}
    assert expect(200, api.deliver(session, "stripe"))["outcome"] == "applied"
