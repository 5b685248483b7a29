"""How the payment webhook handles an authentic event, from event to response."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.conftest import stripe_event_for


def test_an_authentic_event_is_applied(api: ApiClient, order: dict[str, Any]) -> None:
    body = json.dumps({"order_id": order["id"], "payment_status": "paid"}).encode()
    assert expect(200, api.pay(order["id"])) == {
        "message": "Payment status updated successfully",
        "order_id": order["id"],
        "payment_status": "paid",
        "event_id": hashlib.sha256(body).hexdigest(),
        "outcome": "applied",
    }
    assert api.payment_status(order["id"]) == "paid"


def test_an_event_may_have_an_event_id_and_unknown_fields(api: ApiClient, order: dict[str, Any]) -> None:
    response = api.pay(order["id"], event_id="evt_1", livemode=False)
    assert (expect(200, response)["event_id"], response.json["outcome"]) == ("evt_1", "applied")


def test_a_standard_webhooks_envelope_is_applied(api: ApiClient, order: dict[str, Any]) -> None:
    body = {"type": "payment.paid", "timestamp": "2026-01-31T12:00:00Z", "data": {"order_id": order["id"]}}
    response = expect(200, api.deliver(body, "standard_webhooks", "msg_7"))
    assert (response["outcome"], response["event_id"], response["payment_status"]) == ("applied", "msg_7", "paid")


def test_a_stripe_event_is_applied(api: ApiClient, order: dict[str, Any]) -> None:
    body = stripe_event_for(order)
    response = expect(200, api.deliver(body, "stripe"))
    assert (response["outcome"], response["event_id"], response["payment_status"]) == ("applied", body["id"], "paid")


@pytest.mark.parametrize(
    ("scheme", "body"),
    [
        ("stripe", {"id": "evt_1", "type": "customer.created", "data": {"object": {}}}),
        ("stripe", {"id": "evt_1", "type": "payment_intent.succeeded", "data": {"object": {"metadata": {}}}}),
        ("standard_webhooks", {"type": "user.created"}),
    ],
)
def test_an_unrelated_event_is_acknowledged_and_ignored(
    api: ApiClient, order: dict[str, Any], scheme: str, body: Any
) -> None:
    response = expect(200, api.deliver(body, scheme, "evt_1"))
    assert response == {
        "message": "Payment event received. It does not change the payment status",
        "order_id": None,
        "payment_status": None,
        "event_id": "evt_1",
        "outcome": "ignored",
    }
    assert api.payment_status(order["id"]) == "unpaid"


def test_an_unpaid_checkout_session_waits_for_its_payment(api: ApiClient, order: dict[str, Any]) -> None:
    for name, outcome, status in (
        ("checkout.session.completed.unpaid", "ignored", "unpaid"),
        ("checkout.session.async_payment_failed", "applied", "failed"),
        ("checkout.session.async_payment_succeeded", "applied", "paid"),
    ):
        response = expect(200, api.deliver(stripe_event_for(order, name, amount_total=450), "stripe"))
        assert (response["outcome"], response["payment_status"]) == (outcome, status)


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
def test_the_outcome_of_an_event_depends_on_the_state_of_the_order(
    api: ApiClient, order: dict[str, Any], events: list[str], outcomes: list[str | None], status: str
) -> None:
    seen: list[str | None] = []
    for event in events:
        if event in ("paid", "failed"):
            response = expect(200, api.pay(order["id"], event))
            assert response["payment_status"] == api.payment_status(order["id"])
            seen.append(response["outcome"])
        else:
            expect(200, api.change_status(order["id"], event))
            seen.append(None)
    assert (seen, api.payment_status(order["id"])) == (outcomes, status)


def test_an_event_that_needs_action_is_logged_as_a_warning(
    api: ApiClient, order: dict[str, Any], caplog: pytest.LogCaptureFixture
) -> None:
    expect(200, api.change_status(order["id"], "canceled"))
    expect(200, api.pay(order["id"], event_id="evt_1"))
    line = vars(caplog.records[-1])
    assert (line["levelname"], line["outcome"]) == ("WARNING", "needs_refund")
    assert (line["order_id"], line["event_id"]) == (order["id"], "evt_1")
    api.get("/api/orders")
    assert (caplog.records[-1].levelname, "outcome" in vars(caplog.records[-1])) == ("INFO", False)


def test_a_duplicate_or_ignored_event_does_not_change_the_order(api: ApiClient, order: dict[str, Any]) -> None:
    api.pay(order["id"])
    before = expect(200, api.get(f"/api/orders/{order['id']}"))
    api.pay(order["id"])
    api.pay(order["id"], "failed")
    assert expect(200, api.get(f"/api/orders/{order['id']}")) == before


def test_an_event_for_an_unknown_order_returns_404(api: ApiClient) -> None:
    assert api.pay(UNKNOWN).problem() == (404, "order-not-found")


def test_a_later_delivery_replaces_an_event_for_an_unknown_order(api: ApiClient, order: dict[str, Any]) -> None:
    for body in ({"order_id": UNKNOWN}, {"order_id": UNKNOWN, "amount": "1"}):
        response = api.deliver({**body, "payment_status": "paid", "event_id": "evt_1"})
        assert response.problem() == (404, "order-not-found")
    assert [expect(200, api.pay(order["id"], event_id="evt_1"))["outcome"] for _ in range(2)] == [
        "applied",
        "duplicate",
    ]


def test_an_event_gets_503_while_the_database_is_down_and_is_applied_later(
    api: ApiClient, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as away:
        away.setenv("DATABASE_URL", f"postgresql://nobody@/shop?host={tmp_path}")
        db.disconnect()
        response = api.pay(order["id"], event_id="evt_1")
        assert response.problem() == (503, "unavailable")
        assert 1 <= int(response.headers["retry-after"]) <= 5
    assert expect(200, api.pay(order["id"], event_id="evt_1"))["outcome"] == "applied"


def test_an_event_is_stored_as_it_was_sent(api: ApiClient, order: dict[str, Any], database: Connection) -> None:
    body = '{"payment_status":"paid" , "order_id": "%s", "note":"Grüße 🍵"}' % order["id"]  # noqa: UP031  braces
    expect(200, api.deliver(body.encode()))
    assert database.run("SELECT body FROM payment_events") == [[body]]
