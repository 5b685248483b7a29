"""Units of line items that return to the stock with a refund."""

from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.refunds import (
    MAX_STOCK,
    ask,
    cancel,
    current,
    etag,
    line,
    paid_order,
    product_of,
    refund_event,
    refunds,
    requested,
    set_status,
)

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def test_units_return_to_the_stock_with_the_request(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=5)
    refund = requested(api, order, lines=[line(order, 2, restock=True)])
    assert refund["lines"] == [line(order, 2, restock=True)]
    assert api.stock(product_of(order)) == 2
    movement = api.items(f"/api/products/{product_of(order)}/stock-movements")[0]
    assert (movement["kind"], movement["delta"], movement["quantity"]) == ("return", 2, 2)
    assert (movement["order_id"], movement["refund_id"]) == (order["id"], refund["id"])
    assert (movement["actor"], movement["reason"]) == ("anonymous", None)


def test_units_that_do_not_come_back_stay_out_of_the_stock(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=5)
    refund = requested(api, order, lines=[line(order, 5, restock=False)])
    assert (refund["amount"], api.stock(product_of(order))) == ("50.00", 0)


def test_a_completed_order_is_refunded_in_full_with_half_of_its_goods_returned(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=4)
    expect(200, api.change_status(order["id"], "completed"))
    lines = [line(order, 2, restock=True), line(order, 2, restock=False)]
    refund = requested(api, order, lines=lines)
    assert refund["amount"] == "40.00"
    assert sorted(refund["lines"], key=lambda one: one["restock"]) == lines[::-1]
    expect(200, set_status(api, refund, "succeeded"))
    assert (api.stock(product_of(order)), current(api, order)["refund_status"]) == (2, "full")
    assert api.items("/api/reconciliation") == []


def test_lines_for_the_same_units_are_added_together(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=5)
    one = line(order, 1, restock=True)
    two = {**one, "order_item_id": one["order_item_id"].upper(), "quantity": 2.0}
    refund = requested(api, order, lines=[one, two])
    assert (refund["lines"], refund["amount"]) == ([line(order, 3, restock=True)], "30.00")
    assert api.stock(product_of(order)) == 3


def test_units_of_several_products_return(api: ApiClient) -> None:
    teas = [api.create_product(price="1.00", quantity=10)["id"] for _ in range(3)]
    order = api.order(*((tea, 2) for tea in teas))
    expect(200, api.pay(order["id"]))
    requested(api, order, lines=[line(order, n, restock=True, number=n - 1) for n in (2, 1)])
    assert [api.stock(tea) for tea in teas] == [9, 10, 8]


def test_a_refund_can_have_two_lines_for_each_of_100_line_items(api: ApiClient) -> None:
    teas = [api.create_product(price="1.00", quantity=2)["id"] for _ in range(100)]
    order = api.order(*((tea, 2) for tea in teas))
    expect(200, api.pay(order["id"]))
    lines = [line(order, 1, restock=restock, number=n) for n in range(100) for restock in (False, True)]
    refund = requested(api, order, lines=lines)
    assert (refund["amount"], refund["lines"]) == ("200.00", lines)
    assert {api.stock(tea) for tea in teas[::10]} == {1}


def test_units_return_at_most_once(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=5)
    requested(api, order, amount="1.00", lines=[line(order, 3, restock=True)])
    before = etag(api, order)
    response = ask(api, order, {"amount": "1.00", "lines": [line(order, 3, restock=True)]})
    assert response.problem() == (422, "too-many-units")
    assert response.json["errors"] == [
        {
            "detail": "3 requested to return to the stock, 5 ordered, 3 already returned",
            "pointer": "#/lines/0/quantity",
        }
    ]
    assert (api.stock(product_of(order)), etag(api, order), len(refunds(api, order))) == (3, before, 1)
    requested(api, order, amount="1.00", lines=[line(order, 2, restock=True)])
    assert api.stock(product_of(order)) == 5
    # Money can go back for units that are in the stock.
    requested(api, order, amount="1.00", lines=[line(order, 5, restock=False)])


@pytest.mark.parametrize("lines", [((6, True),), ((6, False),), ((3, True), (3, False)), ((3, False), (3, False))])
def test_a_request_has_at_most_the_units_that_were_ordered(api: ApiClient, lines: Any) -> None:
    order = paid_order(api, price="10.00", units=5)
    body = {"amount": "1.00", "lines": [line(order, units, restock=restock) for units, restock in lines]}
    assert ask(api, order, body).problem() == (422, "too-many-units")
    assert ask(api, order, body).json["errors"][0]["detail"] == "6 requested, 5 ordered"
    assert (api.stock(product_of(order)), refunds(api, order)) == (0, [])


def test_each_line_item_with_too_many_units_is_named(api: ApiClient) -> None:
    teas = [api.create_product(price="1.00", quantity=10)["id"] for _ in range(2)]
    order = api.order(*((tea, 2) for tea in teas))
    expect(200, api.pay(order["id"]))
    requested(api, order, lines=[line(order, 2, restock=True)])
    body = {"lines": [line(order, 1, restock=True), line(order, 3, restock=False, number=1)]}
    response = ask(api, order, body)
    assert (response.json["title"], response.json["detail"]) == ("Too many units", "A line item has too many units.")
    assert {one["pointer"]: one["detail"] for one in response.json["errors"]} == {
        "#/lines/0/quantity": "1 requested to return to the stock, 2 ordered, 2 already returned",
        "#/lines/1/quantity": "3 requested, 2 ordered",
    }


@pytest.mark.parametrize("restock", [True, False])
def test_huge_quantities_are_refused(api: ApiClient, *, restock: bool) -> None:
    order = paid_order(api)
    huge = line(order, MAX_STOCK, restock=restock)
    for lines, problem in (([huge], "too-many-units"), ([huge] * 200, "number-out-of-range")):
        for body in ({"lines": lines}, {"lines": lines, "amount": "1.00"}):
            assert ask(api, order, body).problem() == (422, problem)
    assert refunds(api, order) == []


def test_each_line_with_too_many_units_is_listed(api: ApiClient) -> None:
    teas = [api.create_product(price="1.00", quantity=10)["id"] for _ in range(3)]
    order = api.order(*((tea, 2) for tea in teas))
    expect(200, api.pay(order["id"]))
    lines = [line(order, units, restock=True, number=n) for n, units in ((2, 3), (1, 2), (0, 9))]
    errors = ask(api, order, {"lines": lines}).json["errors"]
    assert {error["pointer"] for error in errors} == {"#/lines/0/quantity", "#/lines/2/quantity"}
    assert [api.stock(tea) for tea in teas] == [8, 8, 8]


def test_an_unknown_line_item_is_not_found(api: ApiClient) -> None:
    order, other = paid_order(api), paid_order(api)
    lines = [line(order, 1, restock=True), line(other, 1, restock=True), {**line(order, 1, restock=True)}]
    lines[2]["order_item_id"] = UNKNOWN
    response = ask(api, order, {"amount": "1.00", "lines": lines})
    assert response.problem() == (404, "order-item-not-found")
    assert {(error["pointer"], error["detail"]) for error in response.json["errors"]} == {
        ("#/lines/1/order_item_id", f"Line item {other['order_items'][0]['id']} not found"),
        ("#/lines/2/order_item_id", f"Line item {UNKNOWN} not found"),
    }
    assert [api.stock(product_of(one)) for one in (order, other)] == [0, 0]


def test_a_refused_amount_returns_no_units(api: ApiClient) -> None:
    order = paid_order(api)
    body = {"amount": "100.01", "lines": [line(order, 1, restock=True)]}
    assert ask(api, order, body).problem() == (422, "refund-too-large")
    assert api.stock(product_of(order)) == 0


@pytest.mark.parametrize("status", ["canceled", "failed"])
def test_units_stay_in_the_stock_when_the_money_does_not_go_back(api: ApiClient, status: str) -> None:
    order = paid_order(api, units=2, price="10.00")
    refund = requested(api, order, lines=[line(order, 2, restock=True)])
    expect(200, set_status(api, refund, status))
    assert api.stock(product_of(order)) == 2
    # They are back, so they cannot return again.
    again = {"lines": [line(order, 1, restock=True)]}
    assert ask(api, order, again).problem() == (422, "too-many-units")
    assert requested(api, order, lines=[line(order, 2, restock=False)])["amount"] == "20.00"
    expect(200, cancel(api, order))
    assert api.stock(product_of(order)) == 2


def test_the_status_of_a_refund_moves_no_stock(api: ApiClient) -> None:
    order = paid_order(api, units=2, price="10.00")
    refund = requested(api, order, lines=[line(order, 1, restock=True)])
    for status in ("pending", "succeeded", "failed"):
        expect(200, set_status(api, refund, status))
        assert api.stock(product_of(order)) == 1
    assert refund_event(api, order, "succeeded", "re_dashboard", "20.00") == "applied"
    assert api.stock(product_of(order)) == 1


def test_stock_that_would_be_too_large_refuses_the_request(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=2)
    product = product_of(order)
    expect(200, api.call("PUT", f"/api/products/{product}", {"quantity": MAX_STOCK}))
    before = etag(api, order)
    for body in ({}, {"amount": "1.00"}):
        refused = ask(api, order, {**body, "lines": [line(order, 1, restock=True)]}, **{"idempotency-key": "k"})
        assert refused.problem() == (422, "number-out-of-range")
    assert (etag(api, order), refunds(api, order), api.stock(product)) == (before, [], MAX_STOCK)
    assert cancel(api, order, refund=True).problem() == (422, "number-out-of-range")
    assert (etag(api, order), refunds(api, order)) == (before, [])

    expect(200, api.call("PUT", f"/api/products/{product}", {"quantity": MAX_STOCK - 1}))
    requested(api, order, lines=[line(order, 1, restock=True)])
    assert api.stock(product) == MAX_STOCK
