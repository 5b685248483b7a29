"""The action of an event, in the inbox and in the timeline, is null when nothing is left to do."""

from typing import Any

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import EVENTS, RECONCILIATION, only_event, timeline
from tests.handlers.refunds import (
    Order,
    Refund,
    cancel,
    dispute,
    paid_order,
    pay_again,
    payments,
    refund_event,
    requested,
    set_status,
)
from tests.stripe_events import stripe_event

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def action(api: ApiClient, order: Order, event_id: str) -> str | None:
    """What the inbox says about an event. The timeline says the same."""
    stated: str | None = only_event(api, event_id=event_id)["action"]
    assert {one["action"] for one in timeline(api, order["id"]) if one["payment_event_id"] == event_id} == {stated}
    return stated


def acknowledge(api: ApiClient) -> None:
    for entry in api.items(RECONCILIATION):
        path = f"{RECONCILIATION}/{entry['kind']}/{entry['id']}/acknowledgement"
        expect(201, api.call("POST", path, {"note": "It is settled."}))


@pytest.fixture
def order(api: ApiClient) -> Order:
    return paid_order(api)


@pytest.fixture
def unpaid(api: ApiClient) -> Order:
    return api.order((api.create_product(price="100.00")["id"], 1))


@pytest.fixture
def twice(api: ApiClient, order: Order) -> Order:
    """An order with a second payment, which evt_again reported."""
    assert pay_again(api, order, "again") == "needs_refund"
    return order


@pytest.mark.parametrize("number", [0, 1], ids=["first", "second"])
def test_a_second_payment_asks_for_no_refund_after_either_payment_was_refunded(
    api: ApiClient, twice: Order, number: int
) -> None:
    assert str(action(api, twice, "evt_again")).startswith("Refund one of the payments.")
    refund = requested(api, twice, payment_id=payments(api, twice)[number]["id"])
    assert str(action(api, twice, "evt_again")).startswith("A refund of 100.00 USD is requested.")
    expect(200, set_status(api, refund, "pending"))
    assert action(api, twice, "evt_again") is None
    expect(200, set_status(api, refund, "succeeded"))
    assert action(api, twice, "evt_again") is None
    expect(200, set_status(api, refund, "failed"))
    assert str(action(api, twice, "evt_again")).startswith("Refund one of the payments.")


def test_a_wrong_amount_asks_for_nothing_after_the_payment_went_back(api: ApiClient, unpaid: Order) -> None:
    pay_again(api, unpaid, "1", amount="90.00")
    assert "refund the payment" in str(action(api, unpaid, "evt_1"))
    expect(200, set_status(api, requested(api, unpaid), "succeeded"))
    assert action(api, unpaid, "evt_1") is None


def test_money_for_a_canceled_order_asks_for_nothing_after_it_went_back(api: ApiClient, unpaid: Order) -> None:
    expect(200, cancel(api, unpaid))
    pay_again(api, unpaid, "1")
    assert str(action(api, unpaid, "evt_1")).startswith("Request a refund")
    expect(200, set_status(api, requested(api, unpaid), "succeeded"))
    assert action(api, unpaid, "evt_1") is None


def failed_refund(api: ApiClient, order: Order) -> Refund:
    refund = requested(api, order, amount="50.00")
    assert refund_event(api, order, "failed", "re_1", "50.00", refund_id=refund["id"], event_id="evt_1") == "applied"
    return refund


def test_a_failed_refund_asks_for_nothing_after_it_was_requested_again(api: ApiClient, order: Order) -> None:
    failed_refund(api, order)
    assert "request the refund again" in str(action(api, order, "evt_1"))
    again = requested(api, order, amount="50.00")
    assert action(api, order, "evt_1") is None
    expect(200, set_status(api, again, "canceled"))
    assert "request the refund again" in str(action(api, order, "evt_1"))
    expect(200, set_status(api, requested(api, order), "succeeded"))
    assert action(api, order, "evt_1") is None


@pytest.mark.parametrize("end", ["won", "lost"])
def test_a_dispute_that_ended_asks_for_no_answer(api: ApiClient, order: Order, end: str) -> None:
    dispute(api, order)
    assert str(action(api, order, "evt_opened")).startswith("Answer the dispute")
    dispute(api, order, end)
    assert action(api, order, "evt_opened") is None


def test_an_acknowledged_event_asks_for_nothing_until_money_moves_again(api: ApiClient, twice: Order) -> None:
    acknowledge(api)
    assert action(api, twice, "evt_again") is None
    [entry] = api.items(RECONCILIATION, acknowledged="true")
    assert entry["action"].startswith("Refund one of the payments.")
    pay_again(api, twice, "third")
    assert str(action(api, twice, "evt_again")).startswith("Refund one of the payments.")


def test_an_acknowledged_cancellation_asks_for_no_refund(api: ApiClient, order: Order) -> None:
    expect(200, cancel(api, order))
    assert str(timeline(api, order["id"])[-1]["action"]).startswith("Request a refund")
    acknowledge(api)
    [canceled] = [one for one in timeline(api, order["id"]) if one["cause"] == "status_change"]
    assert canceled["action"] is None


def test_money_without_an_order_asks_for_nothing_after_its_order_was_named(api: ApiClient, unpaid: Order) -> None:
    expect(200, api.deliver(stripe_event(id="pi_1", metadata={}), "stripe"))
    [stated] = [event["action"] for event in api.items(EVENTS)]
    assert "right order ID" in stated
    pay_again(api, unpaid, "pi_1")
    assert [event["action"] for event in api.items(EVENTS)] == [None, None]


def test_an_earlier_attempt_asks_for_nothing_after_a_later_one(
    api: ApiClient, unpaid: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_MODE", "test")
    expect(200, api.pay(unpaid["id"], event_id="evt_1", livemode=True))
    assert "Correct the setting PaymentMode" in str(action(api, unpaid, "evt_1"))
    monkeypatch.setenv("PAYMENT_MODE", "any")
    expect(200, api.call("POST", f"{EVENTS}/{only_event(api)['id']}/replay"))
    assert action(api, unpaid, "evt_1") is None


@pytest.mark.parametrize("again", ["evt_1", "evt_2"])
def test_an_unreadable_event_asks_for_nothing_after_it_was_sent_again(
    api: ApiClient, unpaid: Order, again: str
) -> None:
    body: dict[str, Any] = {"order_id": unpaid["id"], "event_id": "evt_1"}
    assert api.deliver({**body, "payment_status": "PAID"}).status == 422
    assert "acknowledge" in str(action(api, unpaid, "evt_1"))
    expect(200, api.deliver({**body, "event_id": again, "payment_status": "paid"}))
    assert (action(api, unpaid, "evt_1") is None) == (again == "evt_1")
    acknowledge(api)
    assert action(api, unpaid, "evt_1") is None
