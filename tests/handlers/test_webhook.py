"""The payment webhook, from event to response."""

import base64
import hashlib
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, get_args

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.payments.keyring import Keyring, fetch_secret
from storefront.payments.signatures import Scheme
from tests.forgeries import forgeries
from tests.shop import ROOT, UNKNOWN, Shop, api_event, expect, lambda_context, load_function, signed


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
    reply = shop.pay(order["id"], event_id="evt_1", livemode=False)
    assert (expect(200, reply)["event_id"], reply.json["outcome"]) == ("evt_1", "applied")


def stripe_event(order: dict[str, Any], name: str = "payment_intent.succeeded", **changes: Any) -> dict[str, Any]:
    """One of Stripe's about the order; changes are to the object that it is about."""
    event: dict[str, Any] = json.loads((ROOT / "tests" / "fixtures" / "stripe" / f"{name}.json").read_text())
    event["data"]["object"] |= {"amount_received": 450, "metadata": {"order_id": order["id"]}, **changes}
    return event


def test_an_event_in_the_envelope_of_standard_webhooks_is_applied(shop: Shop, order: dict[str, Any]) -> None:
    body = {"type": "payment.paid", "timestamp": "2026-01-31T12:00:00Z", "data": {"order_id": order["id"]}}
    answer = expect(200, shop.deliver(body, "standard_webhooks", "msg_7"))
    assert (answer["outcome"], answer["event_id"], answer["payment_status"]) == ("applied", "msg_7", "paid")


def test_an_event_of_stripe_s_is_applied(shop: Shop, order: dict[str, Any]) -> None:
    body = stripe_event(order)
    answer = expect(200, shop.deliver(body, "stripe"))
    assert (answer["outcome"], answer["event_id"], answer["payment_status"]) == ("applied", body["id"], "paid")


@pytest.mark.parametrize(
    ("scheme", "body"),
    [
        ("stripe", {"id": "evt_1", "type": "customer.created", "data": {"object": {}}}),
        ("stripe", {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"metadata": {}}}}),
        ("standard_webhooks", {"type": "user.created"}),
    ],
)
def test_an_event_that_is_not_ours_is_acknowledged(shop: Shop, order: dict[str, Any], scheme: str, body: Any) -> None:
    answer = expect(200, shop.deliver(body, scheme, "evt_1"))
    assert answer == {
        "message": "Payment event ignored: it changes nothing",
        "order_id": None,
        "payment_status": None,
        "event_id": "evt_1",
        "outcome": "ignored",
    }
    assert payment_status(shop, order) == "unpaid"


def test_a_session_that_is_not_paid_yet_waits_for_its_payment(shop: Shop, order: dict[str, Any]) -> None:
    for name, outcome, status in (
        ("checkout.session.completed.unpaid", "ignored", "unpaid"),
        ("checkout.session.async_payment_failed", "applied", "failed"),
        ("checkout.session.async_payment_succeeded", "applied", "paid"),
    ):
        answer = expect(200, shop.deliver(stripe_event(order, name, amount_total=450), "stripe"))
        assert (answer["outcome"], answer["payment_status"]) == (outcome, status)


@pytest.mark.parametrize(
    ("money", "outcome"),
    [
        ({"amount": "4.50", "currency": "USD"}, "applied"),
        ({"amount": "4.5", "currency": "usd"}, "applied"),
        ({"amount": 4.5}, "applied"),
        ({"currency": "USD"}, "applied"),
        ({"amount": "4.49", "currency": "USD"}, "needs_review"),
        ({"amount": "4.51"}, "needs_review"),
        ({"amount": "4.500001"}, "needs_review"),
        ({"amount": "0"}, "needs_review"),
        ({"amount": "4.50", "currency": "EUR"}, "needs_review"),
        ({"currency": "JPY"}, "needs_review"),
    ],
)
@pytest.mark.parametrize("status", ["paid", "failed"])
def test_amount_and_currency_are_compared_where_the_event_has_them(
    shop: Shop, order: dict[str, Any], money: dict[str, Any], outcome: str, status: str
) -> None:
    assert expect(200, shop.pay(order["id"], status, **money))["outcome"] == outcome
    assert payment_status(shop, order) == (status if outcome == "applied" else "unpaid")


def test_a_shop_s_currency_is_a_setting(shop: Shop, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CURRENCY", "EUR")
    assert expect(200, shop.pay(order["id"], event_id="1", currency="USD"))["outcome"] == "needs_review"
    assert expect(200, shop.pay(order["id"], event_id="2", currency="EUR"))["outcome"] == "applied"


def test_the_same_event_is_taken_once_however_often_it_comes(shop: Shop, order: dict[str, Any]) -> None:
    outcomes = [expect(200, shop.pay(order["id"], "failed", event_id="evt_1"))["outcome"] for _ in range(3)]
    assert outcomes == ["applied", "duplicate", "duplicate"]
    expect(200, shop.pay(order["id"], "paid", event_id="evt_2"))
    assert expect(200, shop.pay(order["id"], "failed", event_id="evt_1"))["outcome"] == "duplicate"
    assert payment_status(shop, order) == "paid"


def test_the_same_event_may_be_written_in_another_way(shop: Shop, order: dict[str, Any]) -> None:
    body = stripe_event(order)
    assert expect(200, shop.deliver(body, "stripe"))["outcome"] == "applied"
    # As Stripe counts the endpoints that it has yet to tell.
    assert expect(200, shop.deliver({**body, "pending_webhooks": 0}, "stripe"))["outcome"] == "duplicate"


@pytest.mark.parametrize(
    "change",
    [{"payment_status": "paid"}, {"amount": "4.50"}, {"currency": "USD"}, {"order_id": UNKNOWN}],
    ids=lambda change: next(iter(change)),
)
def test_an_event_s_id_with_another_content_needs_a_review_and_is_never_applied(
    shop: Shop, order: dict[str, Any], change: dict[str, str]
) -> None:
    first = {"order_id": order["id"], "payment_status": "failed", "event_id": "evt_1"}
    assert expect(200, shop.deliver(first))["outcome"] == "applied"
    said = [expect(200, shop.deliver(body))["outcome"] for body in ({**first, **change}, {**first, **change}, first)]
    assert said == ["needs_review", "duplicate", "duplicate"]
    assert payment_status(shop, order) == "failed"


def test_an_event_s_id_is_its_scheme_s_own(shop: Shop, order: dict[str, Any]) -> None:
    body = {"order_id": order["id"], "payment_status": "failed", "event_id": "evt_1"}
    assert expect(200, shop.deliver(body))["outcome"] == "applied"
    changed = {**body, "payment_status": "paid"}
    assert expect(200, shop.deliver(changed, "standard_webhooks"))["outcome"] == "applied"


def test_a_delivery_counts_for_the_event_of_its_own_scheme(shop: Shop, order: dict[str, Any]) -> None:
    body = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
    # In the order of the schemes' names too, which is how the inbox is searched.
    assert shop.deliver({**body, "order_id": UNKNOWN}, "standard_webhooks").status == 404
    said = [expect(200, shop.deliver(body, scheme))["outcome"] for scheme in ("x_signature", "stripe", "x_signature")]
    assert said == ["applied", "duplicate", "duplicate"]
    attempts = {event["scheme"]: event["attempts"] for event in shop.items("/api/payment-events")}
    assert attempts == {"standard_webhooks": 1, "x_signature": 2, "stripe": 1}


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("named", [True, False])
def test_an_event_s_identity_is_the_one_it_names_or_its_message_s_or_its_body_s(
    shop: Shop, order: dict[str, Any], scheme: str, *, named: bool
) -> None:
    body = {"order_id": order["id"], "payment_status": "paid", **({"event_id": "evt_1"} if named else {})}
    unnamed = "msg_7" if scheme == "standard_webhooks" else hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert expect(200, shop.deliver(body, scheme, "msg_7"))["event_id"] == ("evt_1" if named else unnamed)


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


def test_an_event_that_was_not_taken_binds_the_processor_to_nothing(shop: Shop, order: dict[str, Any]) -> None:
    for body in ({"order_id": UNKNOWN}, {"order_id": UNKNOWN, "amount": "1"}):
        reply = shop.deliver({**body, "payment_status": "paid", "event_id": "evt_1"})
        assert reply.problem() == (404, "order-not-found")
    assert [expect(200, shop.pay(order["id"], event_id="evt_1"))["outcome"] for _ in range(2)] == [
        "applied",
        "duplicate",
    ]


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_no_forgery_gets_past_the_signature_and_none_is_an_error_of_ours(
    shop: Shop, order: dict[str, Any], scheme: str
) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    answered: Counter[int] = Counter()
    for _, headers, content in forgeries(scheme, body, int(time.time())):
        event = api_event("POST", "/api/payment-webhook", content, {})
        # As they are: some are in capitals, or twice.
        event["headers"] = {"content-type": "application/json", **headers}
        answer = load_function("webhook").lambda_handler(event, lambda_context())
        assert json.loads(answer["body"])["detail"] in ("Missing signature", "Invalid signature")
        answered[answer["statusCode"]] += 1
    assert answered.keys() == {401}
    assert answered[401] >= 60
    assert payment_status(shop, order) == "unpaid"


def test_while_the_database_is_away_the_processor_is_asked_to_come_back_and_then_the_event_is_taken(
    shop: Shop, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as away:
        away.setenv("DATABASE_URL", f"postgresql://nobody@/shop?host={tmp_path}")
        db.disconnect()
        reply = shop.pay(order["id"], event_id="evt_1")
        assert reply.problem() == (503, "unavailable")
        assert reply.headers["retry-after"] == "2"
    assert expect(200, shop.pay(order["id"], event_id="evt_1"))["outcome"] == "applied"


def test_an_event_is_kept_as_it_was_sent(shop: Shop, order: dict[str, Any], database: Connection) -> None:
    body = '{"payment_status":"paid" , "order_id": "%s", "note":"Grüße 🍵"}' % order["id"]  # noqa: UP031  braces
    expect(200, shop.deliver(body.encode()))
    assert database.run("SELECT body FROM payment_events") == [[body]]


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
