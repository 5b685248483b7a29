"""Which payment a request refunds, also if it is late, from an earlier release, one of several, or disputed."""

from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.refunds import (
    ask,
    cancel,
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


@pytest.mark.usefixtures("expect_no_violations")
def test_a_late_payment_of_a_canceled_order_can_be_refunded(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, cancel(api, order))
    assert pay_again(api, order, "pi_late") == "needs_refund"
    refund = requested(api, order)
    assert (refund["amount"], refund["payment_reference"]) == ("4.50", "pi_late")
    expect(200, set_status(api, refund, "succeeded", "re_1"))
    assert money(api, order) == ("4.50", "4.50", "full")
    assert api.items("/api/reconciliation") == []


@pytest.mark.usefixtures("expect_no_violations")
def test_a_canceled_order_whose_refund_fails_a_week_later_is_listed_again(api: ApiClient) -> None:
    order = paid_order(api)
    product = order["order_items"][0]["product_id"]
    expect(200, cancel(api, order, refund=True))
    [refund] = refunds(api, order)
    expect(200, set_status(api, refund, "succeeded", "re_1"))
    assert (api.items("/api/reconciliation"), api.stock(product)) == ([], 1)

    assert refund_event(api, order, "failed", "re_1", "100.00") == "applied"
    assert money(api, order) == ("100.00", "0.00", "none")
    assert {entry["kind"] for entry in api.items("/api/reconciliation")} == {"paid_and_canceled", "refund_failed"}
    assert api.stock(product) == 1
    assert requested(api, order)["amount"] == "100.00"


def test_a_payment_without_any_id_can_be_refunded(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"]))
    assert requested(api, order)["payment_reference"] is None


def forget_payments(database: Connection) -> None:
    """Leave what an earlier release stored of a paid order."""
    database.run("DELETE FROM payments")
    database.run("UPDATE orders SET paid_amount = 0, money_changes = 0")


def test_an_order_that_an_earlier_release_recorded_as_paid_can_be_refunded(
    api: ApiClient, database: Connection
) -> None:
    orders = [paid_order(api) for _ in range(2)]
    forget_payments(database)
    assert requested(api, orders[0], amount="60.00")["payment_reference"] == f"pi_{orders[0]['number']}"
    expect(200, cancel(api, orders[1], refund=True))
    assert [refund["amount"] for refund in refunds(api, orders[1])] == ["100.00"]
    assert [money(api, order) for order in orders] == [("100.00", "0.00", "pending")] * 2
    assert violations(database) == []


@pytest.mark.usefixtures("expect_no_violations")
def test_of_several_payments_with_money_left_the_request_names_one(api: ApiClient) -> None:
    order = paid_order(api)
    assert pay_again(api, order, "pi_second") == "needs_refund"
    first, second = payments(api, order)
    for body in ({}, {"amount": "1.00"}, {"lines": [line(order, 1, restock=False)]}):
        response = ask(api, order, body)
        assert response.problem() == (422, "several-payments")
        assert [payment["id"] for payment in response.json["payments"]] == [first["id"], second["id"]]
    assert ask(api, order, {"payment_id": second["id"], "amount": "100.01"}).json["amount_left"] == "100.00"
    refund = requested(api, order, payment_id=second["id"].upper())
    assert (refund["payment_id"], refund["payment_reference"]) == (second["id"], "pi_second")
    # Only the first payment has money left.
    assert requested(api, order, amount="10.00")["payment_id"] == first["id"]
    assert ask(api, order, {"payment_id": second["id"]}).json["amount_left"] == "0.00"


def test_an_unknown_payment_is_not_found(api: ApiClient) -> None:
    order, other = paid_order(api), paid_order(api)
    for id_ in (UNKNOWN, payments(api, other)[0]["id"]):
        response = ask(api, order, {"payment_id": id_})
        assert response.problem() == (404, "payment-not-found")
        assert response.json["errors"] == [{"detail": f"Payment {id_} not found", "pointer": "#/payment_id"}]
    assert refunds(api, order) == refunds(api, other) == []


def test_a_disputed_payment_is_not_refunded_until_the_shop_wins(api: ApiClient) -> None:
    order = paid_order(api)
    dispute(api, order)
    before = etag(api, order)
    for body in ({}, {"payment_id": payments(api, order)[0]["id"]}):
        assert ask(api, order, body).problem() == (409, "payment-disputed")
    assert (refunds(api, order), etag(api, order)) == ([], before)
    dispute(api, order, "won")
    requested(api, order)


def test_a_disputed_payment_is_not_refunded_again_when_nothing_is_left_of_it(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order)
    dispute(api, order)
    assert ask(api, order).problem() == (409, "payment-disputed")
    assert ask(api, order, {"payment_id": UNKNOWN}).problem() == (404, "payment-not-found")


def test_a_dispute_of_another_order_does_not_matter(api: ApiClient) -> None:
    order, other = paid_order(api), paid_order(api)
    requested(api, order)
    dispute(api, other)
    assert ask(api, order).problem() == (422, "refund-too-large")


def test_a_dispute_of_one_payment_does_not_block_the_other(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_second")
    dispute(api, order)
    disputed, other = payments(api, order)
    assert ask(api, order, {"payment_id": disputed["id"]}).problem() == (409, "payment-disputed")
    requested(api, order, payment_id=other["id"])
