"""Disputes, as Stripe reports them: they block refunds while they are open, and never change the order."""

from typing import Any

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import RECONCILIATION, only_event, timeline
from tests.handlers.reconciliation import kinds
from tests.handlers.refunds import (
    Order,
    ask,
    cancel,
    current,
    dispute,
    etag,
    paid_order,
    pay_again,
    payments,
    refund_event,
    requested,
    set_status,
)


@pytest.fixture
def order(api: ApiClient) -> Order:
    return paid_order(api)


def report(api: ApiClient, order: Order, status: Any, second: int = 1, **fields: Any) -> str:
    """Report a status of the dispute dp_1, and return the outcome of the event."""
    about = {"id": "dp_1", "payment_intent": f"pi_{order['number']}", "status": status, "amount": 10000}
    body = {
        "id": f"evt_{second}_{status}",
        "type": "charge.dispute.updated",
        "created": 1795435200 + second,
        "data": {"object": {**about, "currency": "usd", **fields}},
    }
    outcome: str = expect(200, api.deliver(body, "stripe"))["outcome"]
    return outcome


def disputes(api: ApiClient, order: Order) -> list[tuple[str, str | None, str | None]]:
    [payment] = api.items(f"/api/orders/{order['id']}/payments")
    return [(one["status"], one["reference"], one["amount"]) for one in payment["disputes"]]


@pytest.mark.parametrize(
    ("stripes", "status"),
    [
        ("needs_response", "open"),
        ("under_review", "open"),
        ("warning_needs_response", "open"),
        ("warning_under_review", "open"),
        ("warning_closed", "won"),
        ("won", "won"),
        ("prevented", "won"),
        ("lost", "lost"),
    ],
)
def test_each_status_of_stripe_is_one_of_three(api: ApiClient, order: Order, stripes: str, status: str) -> None:
    assert report(api, order, stripes) == "applied"
    assert disputes(api, order) == [(status, "dp_1", "100.00")]
    assert kinds(api) == (["disputed"] if status == "open" else [])


def test_a_dispute_never_changes_its_order_or_the_stock(api: ApiClient) -> None:
    product = api.create_product(price="100", quantity=5)["id"]
    order = api.order((product, 1))
    expect(200, api.pay(order["id"], payment_reference=f"pi_{order['number']}"))
    before, tag = current(api, order), etag(api, order)
    for second, status in enumerate(("needs_response", "won", "needs_response", "lost", "won", "lost")):
        assert report(api, order, status, second) == "applied"
        assert (current(api, order), etag(api, order), api.stock(product)) == (before, tag, 4)


def test_an_open_dispute_blocks_refunds_claims_and_cancel_with_refund(api: ApiClient, order: Order) -> None:
    refund = requested(api, order, amount="10.00")
    report(api, order, "needs_response")
    tag = etag(api, order)
    for response in (ask(api, order), set_status(api, refund, "pending"), cancel(api, order, refund=True)):
        assert response.problem() == (409, "payment-disputed")
    assert etag(api, order) == tag
    report(api, order, "won", 2)
    expect(200, set_status(api, refund, "pending"))


def test_a_dispute_that_opens_again_blocks_again(api: ApiClient, order: Order) -> None:
    for second, status in enumerate(("needs_response", "won", "under_review")):
        report(api, order, status, second)
    assert ask(api, order).problem() == (409, "payment-disputed")
    assert kinds(api) == ["disputed"]


def test_an_older_event_changes_nothing(api: ApiClient, order: Order) -> None:
    assert report(api, order, "lost", 9) == "applied"
    assert report(api, order, "needs_response", 1) == "ignored"
    assert report(api, order, "won", 2) == "ignored"
    assert only_event(api, event_id="evt_2_won")["reason"] == "older_status"
    assert disputes(api, order) == [("lost", "dp_1", "100.00")]


@pytest.mark.parametrize("statuses", [("needs_response", "lost"), ("lost", "needs_response")])
def test_within_a_second_the_end_of_the_dispute_counts(api: ApiClient, order: Order, statuses: tuple[str, str]) -> None:
    for status in statuses:
        report(api, order, status)
    assert disputes(api, order)[0][0] == "lost"


def test_a_status_that_stripe_adds_later_needs_a_person(api: ApiClient, order: Order) -> None:
    body = {"id": "evt_1", "type": "charge.dispute.updated", "data": {"object": {"id": "dp_1", "charge": "ch_1"}}}
    assert api.deliver(body, "stripe").problem() == (422, "invalid-request")
    assert kinds(api) == ["unreadable_event"]
    assert disputes(api, order) == []


@pytest.mark.parametrize("amount", ["1", None, {}])
@pytest.mark.parametrize("currency", ["eur", "", None])
def test_an_amount_that_is_not_in_the_payments_currency_takes_the_whole_payment(
    api: ApiClient, order: Order, amount: Any, currency: Any
) -> None:
    report(api, order, "lost", amount=amount, currency=currency)
    assert requested_amount_left(api, order) == "0.00"


def requested_amount_left(api: ApiClient, order: Order) -> str:
    left: str = ask(api, order, {"amount": "1.00"}).json["amount_left"]
    return left


def test_lost_money_of_a_canceled_order_needs_no_refund(api: ApiClient, order: Order) -> None:
    expect(200, cancel(api, order))
    assert kinds(api) == ["paid_and_canceled"]
    report(api, order, "lost")
    assert kinds(api) == []
    shown = current(api, order)
    assert (shown["refunded_amount"], shown["refund_status"]) == ("0.00", "none")


def test_a_lost_dispute_and_a_full_refund_return_too_much(api: ApiClient, order: Order) -> None:
    refund_event(api, order, "succeeded", "re_1", "100.00")
    report(api, order, "lost")
    assert kinds(api) == ["over_refunded"]
    report(api, order, "won", 2)
    assert kinds(api) == []


def test_a_second_event_with_the_same_status_does_not_end_an_acknowledgement(api: ApiClient, order: Order) -> None:
    report(api, order, "needs_response")
    [entry] = api.items(RECONCILIATION)
    note = {"note": "Ada sends the papers."}
    expect(201, api.call("POST", f"{RECONCILIATION}/disputed/{entry['id']}/acknowledgement", note))
    report(api, order, "under_review", 2)
    assert kinds(api) == []
    report(api, order, "lost", 3)
    report(api, order, "under_review", 4)
    assert kinds(api) == ["disputed"]


def test_the_timeline_has_each_event_of_the_dispute(api: ApiClient, order: Order) -> None:
    report(api, order, "needs_response")
    report(api, order, "lost", 2)
    messages = [entry["message"] for entry in timeline(api, order["id"])[-2:]]
    assert messages == [
        "The customer disputes the payment at their bank.",
        "A dispute was lost. The money went back to the customer.",
    ]


@pytest.mark.parametrize("amount", ["-100.00", "0", -1])
def test_an_amount_that_is_not_positive_takes_the_whole_payment(api: ApiClient, order: Order, amount: Any) -> None:
    dispute(api, order, "lost", amount=amount)
    assert requested_amount_left(api, order) == "0.00"
    assert disputes(api, order) == [("lost", None, None)]


def test_a_dispute_of_an_order_stays_with_its_payment(api: ApiClient, order: Order) -> None:
    named = {"payment_reference": None, "order_id": order["id"]}
    dispute(api, order, **named)
    pay_again(api, order, "pi_second")
    dispute(api, order, "won", **named)
    assert [[one["status"] for one in payment["disputes"]] for payment in payments(api, order)] == [["won"], []]
    assert "disputed" not in kinds(api)


def test_the_open_dispute_of_an_order_ends_before_one_that_ended(api: ApiClient, order: Order) -> None:
    named = {"payment_reference": None, "order_id": order["id"]}
    pay_again(api, order, "pi_second")
    dispute(api, order, "won", payment_reference="pi_second", event_id="evt_first")
    dispute(api, order, "opened")
    dispute(api, order, "lost", **named)
    assert [[one["status"] for one in payment["disputes"]] for payment in payments(api, order)] == [["lost"], ["won"]]


def test_the_amount_of_a_dispute_stays_when_its_end_names_only_the_order(api: ApiClient, order: Order) -> None:
    dispute(api, order, amount="50.00")
    dispute(api, order, "lost", payment_reference=None, order_id=order["id"])
    assert disputes(api, order) == [("lost", None, "50.00")]
    assert ask(api, order, {"amount": "50.01"}).json["amount_left"] == "50.00"


def test_the_amount_in_another_content_under_an_event_id_does_not_count(api: ApiClient, order: Order) -> None:
    opened = {"type": "dispute.opened", "payment_reference": f"pi_{order['number']}", "event_id": "evt_1"}
    for amount, minute, outcome in (("20.00", 1, "applied"), ("30.00", 2, "needs_review")):
        event = {**opened, "amount": amount, "currency": "USD", "occurred_at": f"2026-11-23T12:0{minute}:00Z"}
        assert expect(200, api.deliver(event))["outcome"] == outcome
    dispute(api, order, "lost", occurred_at="2026-11-23T12:03:00Z")
    assert disputes(api, order) == [("lost", None, "20.00")]
