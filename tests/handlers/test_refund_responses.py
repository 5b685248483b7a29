"""What the webhook responds to events about refunds and disputes, and what it logs."""

from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.inbox import only_event
from tests.handlers.refunds import Order, paid_order

NOW_RECORDED = "Refund or dispute recorded successfully"
NOTHING_CHANGED = "Payment event received. It changes no refund or dispute"
KNOWN = "Payment event received. It reports nothing new"
IN_REVIEW = "The refund or dispute needs review"


@pytest.fixture
def order(api: ApiClient) -> Order:
    return paid_order(api)


def event(order: Order, type_: str, **fields: Any) -> dict[str, Any]:
    named = {"payment_reference": f"pi_{order['number']}", "processor_refund_id": "re_1", "event_id": f"evt_{type_}"}
    return {"type": type_, **named, "amount": "30.00", "currency": "USD", **fields}


@pytest.mark.parametrize(
    ("sent", "outcome", "message"),
    [
        ({"type_": "refund.succeeded"}, "applied", NOW_RECORDED),
        ({"type_": "dispute.opened"}, "applied", NOW_RECORDED),
        ({"type_": "refund.succeeded", "amount": "0"}, "ignored", NOTHING_CHANGED),
        ({"type_": "refund.succeeded", "payment_reference": "pi_unknown"}, "ignored", NOTHING_CHANGED),
        ({"type_": "refund.succeeded", "currency": "EUR"}, "needs_review", IN_REVIEW),
    ],
)
def test_the_response_says_what_happened_to_the_refund_or_dispute(
    api: ApiClient, order: Order, sent: dict[str, Any], outcome: str, message: str
) -> None:
    is_found = "payment_reference" not in sent
    assert expect(200, api.deliver(event(order, **sent))) == {
        "message": message,
        "order_id": order["id"] if is_found else None,
        "payment_status": "paid" if is_found else None,
        "event_id": f"evt_{sent['type_']}",
        "outcome": outcome,
    }


def test_a_second_delivery_and_a_replay_say_that_they_are_nothing_new(api: ApiClient, order: Order) -> None:
    body = event(order, "refund.succeeded")
    expect(200, api.deliver(body))
    assert expect(200, api.deliver(body))["message"] == KNOWN
    inbox_id = only_event(api, event_id=body["event_id"])["id"]
    assert expect(200, api.call("POST", f"/api/payment-events/{inbox_id}/replay"))["message"] == KNOWN


def test_a_second_delivery_of_an_ignored_event_does_not_say_that_it_was_applied(api: ApiClient, order: Order) -> None:
    body = event(order, "refund.succeeded", amount="0")
    assert [expect(200, api.deliver(body))["message"] for _ in range(2)] == [NOTHING_CHANGED, KNOWN]


def test_the_replay_of_a_refund_says_that_it_is_recorded(
    api: ApiClient, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_MODE", "live")
    body = event(order, "refund.succeeded", livemode=False)
    assert expect(200, api.deliver(body))["message"] == NOTHING_CHANGED
    monkeypatch.setenv("PAYMENT_MODE", "any")
    inbox_id = only_event(api, event_id=body["event_id"])["id"]
    assert expect(200, api.call("POST", f"/api/payment-events/{inbox_id}/replay"))["message"] == NOW_RECORDED


def test_a_refund_of_an_unknown_order_is_not_found_at_first(api: ApiClient, order: Order) -> None:
    body = event(order, "refund.succeeded", payment_reference=None, order_id=UNKNOWN)
    assert api.deliver(body).problem() == (404, "order-not-found")


@pytest.mark.parametrize(
    ("type_", "logged"),
    [
        ("refund.failed", {"payment_status": "none", "refund_status": "failed"}),
        ("dispute.lost", {"payment_status": "none", "dispute_status": "lost"}),
    ],
)
def test_the_log_has_the_status_of_the_refund_or_dispute(
    api: ApiClient, order: Order, caplog: pytest.LogCaptureFixture, type_: str, logged: dict[str, str]
) -> None:
    api.deliver(event(order, type_))
    line = vars(caplog.records[-1])
    assert {name: value for name, value in line.items() if name.endswith("_status")} == logged
