"""Events about refunds and disputes that an earlier release stored without reading them."""

from typing import Any

import pytest
from pg8000.native import Connection

from storefront.payments import stripe
from tests.api_client import ApiClient, expect
from tests.handlers.inbox import only_event, timeline
from tests.handlers.personal_data import erase
from tests.handlers.refunds import Order, money, paid_order, refunds

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def event(order: Order, type_: str = "refund.created", **fields: Any) -> dict[str, Any]:
    about = {"id": "re_1", "payment_intent": f"pi_{order['number']}", "amount": 3000, "amount_refunded": 3000}
    return {
        "id": "evt_1",
        "type": type_,
        "created": 1795435200,
        "data": {"object": {**about, "currency": "usd", "status": "succeeded", **fields}},
    }


def deliver_to_earlier_release(api: ApiClient, body: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(stripe, "READERS", {})
        assert expect(200, api.deliver(body, "stripe"))["outcome"] == "ignored"
    assert only_event(api)["reason"] == "type_not_ours"


def replay(api: ApiClient) -> str:
    inbox_id = only_event(api, event_id="evt_1")["id"]
    outcome: str = expect(200, api.call("POST", f"/api/payment-events/{inbox_id}/replay"))["outcome"]
    return outcome


@pytest.fixture
def order(api: ApiClient) -> Order:
    """An order of 100.00 whose payment is not reported yet."""
    return api.order((api.create_product(price="100.00", quantity=1)["id"], 1))


def pay(api: ApiClient, order: Order) -> None:
    expect(200, api.pay(order["id"], payment_reference=f"pi_{order['number']}", event_id="evt_paid"))


REFUNDED = ("100.00", "30.00", "partial")


@pytest.mark.parametrize("again", ["replay", "delivery"])
@pytest.mark.parametrize("is_erased", [False, True])
def test_a_refund_is_read_and_applied_by_a_replay_or_a_delivery(
    api: ApiClient, order: Order, monkeypatch: pytest.MonkeyPatch, again: str, *, is_erased: bool
) -> None:
    deliver_to_earlier_release(api, event(order), monkeypatch)
    pay(api, order)
    if is_erased:
        erase(api, 1)
    if (again, is_erased) == ("replay", True):
        # Nothing says what it reported.
        assert replay(api) == "ignored"
        assert only_event(api, event_id="evt_1")["reason"] == "type_not_ours"
        assert refunds(api, order) == []
        return
    applied = replay(api) if again == "replay" else expect(200, api.deliver(event(order), "stripe"))["outcome"]
    assert applied == "applied"
    assert money(api, order) == REFUNDED
    assert timeline(api, order["id"])[-1]["refund_id"] == refunds(api, order)[0]["id"]
    assert [replay(api), expect(200, api.deliver(event(order), "stripe"))["outcome"]] == ["duplicate"] * 2
    assert money(api, order) == REFUNDED


def test_a_replay_before_the_payment_waits_for_it(
    api: ApiClient, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_to_earlier_release(api, event(order), monkeypatch)
    assert (replay(api), only_event(api)["reason"]) == ("ignored", "payment_unknown")
    pay(api, order)
    assert money(api, order) == REFUNDED


@pytest.mark.parametrize(
    ("type_", "status", "effect"),
    [
        ("charge.refunded", None, ("ignored", "amount_mismatch")),
        ("charge.dispute.created", "needs_response", ("applied", "disputed")),
        ("refund.failed", "failed", ("applied", "refund_failed")),
    ],
)
def test_each_type_is_read(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, type_: str, status: str | None, effect: tuple[str, str]
) -> None:
    paid = paid_order(api)
    body = event(paid, type_, status=status)
    with monkeypatch.context() as patch:
        patch.setattr(stripe, "READERS", {})
        expect(200, api.deliver(body, "stripe"))
    outcome = replay(api)
    [entry] = api.items("/api/reconciliation")
    assert (outcome, entry["kind"]) == effect


def test_the_body_is_not_stored_again_after_an_erasure(
    api: ApiClient, database: Connection, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    deliver_to_earlier_release(api, event(order), monkeypatch)
    pay(api, order)
    erase(api, 1)
    expect(200, api.deliver(event(order), "stripe"))
    assert database.run("SELECT event_id FROM payment_events WHERE body IS NOT NULL") == []
