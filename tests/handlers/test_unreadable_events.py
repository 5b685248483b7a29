"""Authentic events whose effect cannot be read: refused, stored, and replaced by a later delivery."""

import json
from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, expect, signed
from tests.handlers.inbox import RECONCILIATION, last_timeline_event, only_event
from tests.stripe_events import stripe_event

ORDER_ID = "{order}"
"""Stands for the ID of the order in a body."""

NATIVE = b'{"order_id": "{order}", "payment_status": "paid", "event_id": "evt_1"}'


def send(api: ApiClient, body: bytes, scheme: str = "x_signature", media_type: str = "application/json") -> Any:
    headers = {**signed(body, scheme, "evt_1"), "content-type": media_type}
    return api.call("POST", "/api/payment-webhook", body, headers)


def about(order: dict[str, Any], body: bytes) -> bytes:
    return body.replace(ORDER_ID.encode(), order["id"].encode())


UNREADABLE: dict[str, tuple[bytes, str, tuple[int, str], str]] = {
    "not JSON": (b'{"order_id": "{order}",', "application/json", (400, "malformed-body"), "not_json"),
    "no text": (b"\xff\xfe{\0}\0", "application/json", (400, "malformed-body"), "not_json"),
    "a form": (b"order_id={order}&payment_status=paid", "application/json", (400, "malformed-body"), "not_json"),
    "an empty body": (b"", "application/json", (400, "malformed-body"), "not_json"),
    "a list": (b"[" + NATIVE + b"]", "application/json", (422, "invalid-request"), "invalid"),
    "an unknown status": (NATIVE.replace(b"paid", b"PAID"), "application/json", (422, "invalid-request"), "invalid"),
    "no order": (NATIVE.replace(b"{order}", b"7"), "application/json", (422, "invalid-request"), "invalid"),
    "declared as text": (NATIVE, "text/plain", (415, "unsupported-media-type"), "media_type"),
    "declared as a form": (b"a=1", "application/x-www-form-urlencoded", (415, "unsupported-media-type"), "media_type"),
    "declared as nothing": (NATIVE, "", (415, "unsupported-media-type"), "media_type"),
}


@pytest.mark.parametrize(("body", "media_type", "problem", "reason"), UNREADABLE.values(), ids=UNREADABLE)
def test_an_unreadable_event_is_refused_and_stored(
    api: ApiClient, order: dict[str, Any], *, body: bytes, media_type: str, problem: tuple[int, str], reason: str
) -> None:
    for _ in range(2):
        response = send(api, about(order, body), media_type=media_type)
        assert response.problem() == problem
    event = only_event(api)
    assert (event["outcome"], event["reason"], event["attempts"]) == ("unreadable", reason, 2)
    assert event["error"] == response.json["detail"]
    assert [entry["payment_event"] for entry in api.items(RECONCILIATION, kind="unreadable_event")] == [event]
    assert api.payment_status(order["id"]) == "unpaid"


@pytest.mark.parametrize("scheme", ["x_signature", "standard_webhooks", "stripe"])
@pytest.mark.parametrize("unreadable", ["an unknown status", "declared as text"])
def test_a_later_delivery_replaces_an_unreadable_event(
    api: ApiClient, order: dict[str, Any], unreadable: str, scheme: str
) -> None:
    body, media_type, problem, _ = UNREADABLE[unreadable]
    assert send(api, about(order, body), scheme, media_type).problem() == problem
    assert last_timeline_event(api, order)["outcome"] == "unreadable"
    assert expect(200, send(api, about(order, NATIVE), scheme))["outcome"] == "applied"
    event = only_event(api)
    assert (event["outcome"], event["error"], event["attempts"]) == ("applied", None, 2)
    assert api.items(RECONCILIATION) == []


def test_a_webhook_id_identifies_an_event_that_is_not_json(api: ApiClient, order: dict[str, Any]) -> None:
    assert send(api, b"{", "standard_webhooks").status == 400
    assert only_event(api)["event_id"] == "evt_1"
    body = {"type": "payment.paid", "data": {"order_id": order["id"]}}
    assert expect(200, send(api, json.dumps(body).encode(), "standard_webhooks"))["outcome"] == "applied"
    assert [event["outcome"] for event in api.items("/api/payment-events")] == ["applied"]


def test_a_stripe_event_without_a_type_shows_its_order(api: ApiClient, order: dict[str, Any]) -> None:
    body = stripe_event(metadata={"order_id": order["id"]})
    assert send(api, json.dumps({**body, "type": None}).encode(), "stripe").problem() == (422, "invalid-request")
    event = only_event(api)
    assert (event["event_id"], event["order_id"]) == (body["id"], order["id"])
    assert event["error"] == "#/type: Input should be the type of the event"


@pytest.mark.parametrize(
    ("body", "is_base64"),
    [
        (b"{", False),
        ('{"note": "Grüße 🍵"'.encode(), False),
        (b'{"note": "\\u0000"', False),
        (b"{\0", True),
        (b"\xff", True),
        (b"\xed\xa0\xbd", True),
    ],
)
def test_the_body_of_an_unreadable_event_is_stored_as_it_was_sent(
    api: ApiClient, database: Connection, body: bytes, *, is_base64: bool
) -> None:
    assert send(api, body).status == 400
    [[stored, flag]] = database.run(
        "SELECT CASE WHEN body_is_base64 THEN decode(body, 'base64') ELSE convert_to(body, 'UTF8') END, body_is_base64"
        " FROM payment_events"
    )
    assert (stored, flag) == (body, is_base64)


def test_an_unreadable_event_is_a_warning(api: ApiClient, caplog: pytest.LogCaptureFixture) -> None:
    response = send(api, b"{")
    line = vars(caplog.records[-1])
    assert (line["levelname"], line["outcome"], line["detail"]) == ("WARNING", "unreadable", response.json["detail"])


def test_no_list_shows_the_body_of_an_unreadable_event(api: ApiClient, order: dict[str, Any]) -> None:
    body = about(
        order, b'{"order_id": "{order}", "payment_status": "jenny", "type": "jenny", "jenny": 1, "event_id": 1}'
    )
    assert send(api, body).status == 422
    for path in ("/api/payment-events", RECONCILIATION, f"/api/orders/{order['id']}/events"):
        assert "jenny" not in api.get(path).text
