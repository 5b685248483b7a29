"""The payment webhook, from event to response."""

import base64
import hashlib
import json
from typing import Any

import pytest

from storefront.payments.keyring import Keyring, fetch_secret
from tests.shop import UNKNOWN, Shop, api_event, expect, lambda_context, load_function, signed


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    return shop.order((shop.create_product()["id"], 1))


def payment_status(shop: Shop, order: dict[str, Any]) -> str:
    status: str = expect(200, shop.get(f"/api/orders/{order['id']}"))["payment_status"]
    return status


def test_an_authentic_event_is_applied(shop: Shop, order: dict[str, Any]) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    assert expect(200, shop.pay(order["id"])) == {
        "message": "Payment status updated successfully",
        "order_id": order["id"],
        "payment_status": "paid",
        "event_id": hashlib.sha256(body).hexdigest(),
        "outcome": "applied",
    }
    assert payment_status(shop, order) == "paid"


def test_an_event_says_its_own_id_and_may_carry_fields_that_nobody_knows(shop: Shop, order: dict[str, Any]) -> None:
    reply = shop.pay(order["id"], event_id="evt_1", amount="4.50", currency="EUR", livemode=False)
    assert (expect(200, reply)["event_id"], reply.json["outcome"]) == ("evt_1", "applied")


@pytest.mark.parametrize(
    ("events", "outcomes", "status"),
    [
        (["paid", "paid"], ["applied", "duplicate"], "paid"),
        (["failed", "failed"], ["applied", "duplicate"], "failed"),
        (["failed", "paid"], ["applied", "applied"], "paid"),
        (["paid", "failed"], ["applied", "ignored"], "paid"),
        (["canceled", "paid"], [None, "needs_refund"], "unpaid"),
        (["canceled", "failed"], [None, "ignored"], "unpaid"),
        (["paid", "canceled", "paid"], ["applied", None, "duplicate"], "paid"),
        (["completed", "paid"], [None, "needs_review"], "unpaid"),
        (["completed", "failed"], [None, "ignored"], "unpaid"),
        (["paid", "completed", "failed"], ["applied", None, "ignored"], "paid"),
    ],
)
def test_each_event_has_the_outcome_that_the_order_allows(
    shop: Shop, order: dict[str, Any], events: list[str], outcomes: list[str | None], status: str
) -> None:
    seen: list[str | None] = []
    for event in events:
        if event in ("paid", "failed"):
            answer = expect(200, shop.pay(order["id"], event))
            assert answer["payment_status"] == payment_status(shop, order)
            seen.append(answer["outcome"])
        else:
            expect(200, shop.change_status(order["id"], event))
            seen.append(None)
    assert (seen, payment_status(shop, order)) == (outcomes, status)


def test_what_needs_somebody_is_a_warning_in_the_log(
    shop: Shop, order: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    expect(200, shop.change_status(order["id"], "canceled"))
    expect(200, shop.pay(order["id"], event_id="evt_1"))
    line = vars(caplog.records[-1])
    assert (line["levelname"], line["outcome"]) == ("WARNING", "needs_refund")
    assert (line["order_id"], line["event_id"]) == (order["id"], "evt_1")
    shop.get("/api/orders")
    assert (caplog.records[-1].levelname, "outcome" in vars(caplog.records[-1])) == ("INFO", False)


def test_an_event_without_effect_leaves_the_order_as_it_was(shop: Shop, order: dict[str, Any]) -> None:
    shop.pay(order["id"])
    before = expect(200, shop.get(f"/api/orders/{order['id']}"))
    shop.pay(order["id"])
    shop.pay(order["id"], "failed")
    assert expect(200, shop.get(f"/api/orders/{order['id']}")) == before


def test_an_unknown_order_is_404_so_that_the_processor_tries_again(shop: Shop) -> None:
    assert shop.pay(UNKNOWN).problem() == (404, "order-not-found")


def test_a_body_in_base64_is_verified_over_the_bytes_that_were_sent(order: dict[str, Any]) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    headers = {"content-type": "application/json", **signed(body)}
    event = api_event("POST", "/api/payment-webhook", body, headers)
    event.update(body=base64.b64encode(body).decode(), isBase64Encoded=True)
    answer = load_function("webhook").lambda_handler(event, lambda_context())
    assert json.loads(answer["body"])["outcome"] == "applied"


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, "Missing signature"),
        ({"x-signature": ""}, "Missing signature"),
        ({"x-signature": "0" * 64}, "Invalid signature"),
        ({"x-signature": "not hex"}, "Invalid signature"),
        ({"x-signature": "é" * 64}, "Invalid signature"),
    ],
)
def test_an_event_that_is_not_authentic_gets_no_further(
    shop: Shop, order: dict[str, Any], headers: dict[str, str], detail: str
) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    for content in (body, b"not JSON"):
        reply = shop.call("POST", "/api/payment-webhook", content, headers)
        assert reply.problem() == (401, "unauthenticated")
        assert reply.json["detail"] == detail
    assert payment_status(shop, order) == "unpaid"


def test_a_body_changed_after_it_was_signed_is_refused(shop: Shop, order: dict[str, Any]) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "failed"}).encode()
    tampered = body.replace(b"failed", b"paid")
    assert shop.call("POST", "/api/payment-webhook", tampered, signed(body)).problem() == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        (b"", (400, "malformed-body")),
        (b"{", (400, "malformed-body")),
        (b"\xff\xfe{}", (400, "malformed-body")),
        (b"[" * 100_000, (400, "malformed-body")),
        (b"[]", (422, "invalid-request")),
        (b"null", (422, "invalid-request")),
        (b"{}", (422, "invalid-request")),
        (b'{"order_id": "7", "payment_status": "paid"}', (422, "invalid-request")),
        (b'{"order_id": "%s", "payment_status": "unpaid"}' % UNKNOWN.encode(), (422, "invalid-request")),
        (b'{"order_id": "%s", "payment_status": "paid", "event_id": ""}' % UNKNOWN.encode(), (422, "invalid-request")),
        (
            b'{"order_id": "%s", "payment_status": "paid", "event_id": "\\u0000"}' % UNKNOWN.encode(),
            (422, "invalid-request"),
        ),
        (b" " * (256 * 1024 + 1), (413, "body-too-large")),
    ],
)
def test_an_authentic_event_that_is_not_well_formed_is_refused(
    shop: Shop, body: bytes, problem: tuple[int, str]
) -> None:
    assert shop.deliver(body).problem() == problem


def test_with_no_secret_configured_everything_is_refused(
    shop: Shop, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_function("webhook"), "keyring", Keyring(fetch_secret))
    monkeypatch.delenv("WEBHOOK_SECRET_ID", raising=False)
    assert shop.pay(order["id"]).problem() == (401, "unauthenticated")
    assert payment_status(shop, order) == "unpaid"
