"""Canceling an order and refunding all its payments, in one request."""

from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.inbox import timeline
from tests.handlers.refunds import (
    Order,
    ask,
    cancel,
    current,
    dispute,
    etag,
    line,
    money,
    paid_order,
    pay_again,
    payments,
    refund_event,
    refunds,
    requested,
    set_status,
)

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def stock(api: ApiClient, order: Order) -> int:
    return api.stock(order["order_items"][0]["product_id"])


def test_the_order_is_canceled_and_its_payment_is_to_be_refunded(api: ApiClient) -> None:
    order = paid_order(api)
    response = cancel(api, order, refund=True)
    canceled = expect(200, response)
    assert (canceled["status"], canceled["payment_status"], canceled["refund_status"]) == (
        "canceled",
        "paid",
        "pending",
    )
    assert response.headers["etag"] == etag(api, order)
    assert canceled == current(api, order)
    [refund] = refunds(api, order)
    assert (refund["amount"], refund["status"], refund["lines"], refund["reason"]) == ("100.00", "requested", [], None)
    assert stock(api, order) == 1
    assert [(entry["cause"], entry["refund_id"]) for entry in timeline(api, order["id"])[2:]] == [
        ("status_change", None),
        ("refund", refund["id"]),
    ]


def test_the_entry_of_the_reconciliation_ends_with_the_refund(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, cancel(api, order, refund=True))
    [refund] = refunds(api, order)
    assert [entry["kind"] for entry in api.items("/api/reconciliation")] == ["paid_and_canceled"]
    expect(200, set_status(api, refund, "pending"))
    assert refund_event(api, order, "succeeded", "re_1", "100.00", refund_id=refund["id"]) == "applied"
    assert money(api, order) == ("100.00", "100.00", "full")
    assert api.items("/api/reconciliation") == []


def test_each_payment_gets_a_refund_of_what_is_left_of_it(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_second", amount="30.00")
    pay_again(api, order, "pi_third", amount="40.00", currency="EUR")
    first, second, third = payments(api, order)
    # The first payment has a refund that is open, and the third one a refund that succeeded in full.
    requested(api, order, payment_id=first["id"], amount="25.00")
    expect(200, set_status(api, requested(api, order, payment_id=third["id"]), "succeeded"))
    expect(200, cancel(api, order, refund=True))
    assert [(found["payment_id"], found["amount"], found["currency"]) for found in refunds(api, order)[2:]] == [
        (first["id"], "75.00", "USD"),
        (second["id"], "30.00", "USD"),
    ]
    assert [payment["amount_left"] for payment in payments(api, order)] == ["0.00"] * 3


def test_a_refund_that_is_requested_already_is_not_requested_again(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    expect(200, cancel(api, order, refund=True))
    assert refunds(api, order) == [refund]


def test_a_canceled_order_without_money_gets_no_refund(api: ApiClient, order: Order) -> None:
    expect(200, cancel(api, order, refund=True))
    assert (refunds(api, order), money(api, order)) == ([], ("0.00", "0.00", "none"))
    assert [entry["cause"] for entry in timeline(api, order["id"])] == ["placed", "status_change"]


def test_money_that_needs_review_is_refunded_too(api: ApiClient, order: Order) -> None:
    assert pay_again(api, order, "pi_1", amount="1.00") == "needs_review"
    expect(200, cancel(api, order, refund=True))
    assert [refund["amount"] for refund in refunds(api, order)] == ["1.00"]


def test_without_refund_the_money_stays(api: ApiClient) -> None:
    for body in ({}, {"refund": False}):
        order = paid_order(api)
        expect(200, cancel(api, order, **body))
        assert refunds(api, order) == []


def test_units_that_returned_before_are_not_given_back_again(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=5)
    requested(api, order, lines=[line(order, 2, restock=True)])
    expect(200, cancel(api, order, refund=True))
    assert ([refund["amount"] for refund in refunds(api, order)], stock(api, order)) == (["20.00", "30.00"], 5)


def test_a_second_cancellation_requests_no_second_refund(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, cancel(api, order, refund=True))
    before = etag(api, order)
    assert cancel(api, order, refund=True).problem() == (400, "invalid-transition")
    assert (len(refunds(api, order)), etag(api, order), stock(api, order)) == (1, before, 1)


@pytest.mark.parametrize("status", ["completed", "canceled"])
def test_a_final_order_is_not_refunded(api: ApiClient, status: str) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], status))
    assert cancel(api, order, refund=True).problem() == (400, "invalid-transition")
    assert refunds(api, order) == []


def test_a_disputed_payment_blocks_the_cancellation(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_second")
    dispute(api, order)
    before = etag(api, order), timeline(api, order["id"])
    assert cancel(api, order, refund=True).problem() == (409, "payment-disputed")
    assert (etag(api, order), timeline(api, order["id"])) == before
    assert (refunds(api, order), stock(api, order)) == ([], 0)
    # Without a refund, the dispute decides about the money.
    expect(200, cancel(api, order))


def test_a_disputed_payment_with_an_open_refund_blocks_the_cancellation(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order)
    dispute(api, order)
    assert cancel(api, order, refund=True).problem() == (409, "payment-disputed")
    dispute(api, order, "won")
    expect(200, cancel(api, order, refund=True))


def test_a_lost_dispute_leaves_less_to_refund(api: ApiClient) -> None:
    order = paid_order(api)
    dispute(api, order, "lost", amount="70.00", currency="USD")
    expect(200, cancel(api, order, refund=True))
    assert [refund["amount"] for refund in refunds(api, order)] == ["30.00"]


def test_a_stale_etag_changes_nothing(api: ApiClient) -> None:
    order = paid_order(api)
    seen = etag(api, order)
    requested(api, order, amount="10.00")
    path, body = f"/api/orders/{order['id']}/status", {"status": "canceled", "refund": True}
    assert api.call("PUT", path, body, {"if-match": seen}).problem() == (412, "stale-etag")
    assert (len(refunds(api, order)), stock(api, order)) == (1, 0)
    expect(200, api.call("PUT", path, body, {"if-match": etag(api, order)}))


@pytest.mark.parametrize("status", ["completed", "pending"])
def test_only_a_cancellation_can_have_a_refund(api: ApiClient, status: str) -> None:
    order = paid_order(api)
    response = cancel(api, order, status=status, refund=True)
    assert response.problem() == (422, "invalid-request")
    assert response.json["errors"][0]["pointer"] == "#/refund"
    assert refunds(api, order) == []


@pytest.mark.parametrize("refund", [None, 1, 0, "true", "", [], {}, {"amount": "1.00"}])
def test_refund_is_true_or_false(api: ApiClient, refund: Any) -> None:
    order = paid_order(api)
    assert cancel(api, order, refund=refund).problem() == (422, "invalid-request")
    assert current(api, order)["status"] == "pending"


def test_an_unknown_order_is_not_found(api: ApiClient) -> None:
    assert cancel(api, {"id": UNKNOWN}, refund=True).problem() == (404, "order-not-found")


def test_a_late_payment_after_the_cancellation_can_be_refunded(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, cancel(api, order, refund=True))
    assert pay_again(api, order, "pi_late") == "needs_refund"
    assert requested(api, order)["payment_reference"] == "pi_late"
    assert ask(api, order).problem() == (422, "refund-too-large")
