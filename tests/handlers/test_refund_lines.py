"""Units of line items that return to the stock with a refund."""

from collections import Counter
from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, expect, lambda_context, load_function
from tests.handlers.refunds import (
    Order,
    ask,
    cancel,
    current,
    etag,
    line,
    paid_order,
    refund_event,
    refunds,
    requested,
    set_status,
)
from tests.integration.races import make_due

MAX_STOCK = 2_147_483_647

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def product_of(order: Order, number: int = 0) -> str:
    product_id: str = order["order_items"][number]["product_id"]
    return product_id


def movements(api: ApiClient, product_id: str) -> list[tuple[str, int, int]]:
    """The kind, the delta and the stock after it of each movement, oldest first."""
    found = api.items(f"/api/products/{product_id}/stock-movements", page_size=100)
    return [(entry["kind"], entry["delta"], entry["quantity"]) for entry in reversed(found)]


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
            "detail": "3 units, 3 of them for the stock. 5 were ordered, and 3 of them are back in the stock.",
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
    assert (api.stock(product_of(order)), refunds(api, order)) == (0, [])


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


def test_a_cancellation_gives_back_only_the_rest(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=5)
    requested(api, order, lines=[line(order, 2, restock=True), line(order, 1, restock=False)])
    expect(200, cancel(api, order))
    assert movements(api, product_of(order)) == [
        ("opening", 5, 5),
        ("sale", -5, 0),
        ("return", 2, 2),
        ("restock", 3, 5),
    ]


def test_a_cancellation_after_everything_returned_gives_back_nothing(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=2)
    for _ in range(2):
        requested(api, order, lines=[line(order, 1, restock=True)])
    expect(200, cancel(api, order))
    assert [kind for kind, *_ in movements(api, product_of(order))] == ["opening", "sale", "return", "return"]
    assert api.stock(product_of(order)) == 2


@pytest.mark.parametrize("restocked", [1, 2])
def test_the_units_of_a_canceled_order_are_back_in_the_stock(api: ApiClient, restocked: int) -> None:
    order = paid_order(api, price="10.00", units=2)
    expect(200, cancel(api, order))
    response = ask(api, order, {"lines": [line(order, restocked, restock=True)]})
    assert response.problem() == (422, "too-many-units")
    assert response.json["errors"][0]["detail"].endswith("2 were ordered, and 2 of them are back in the stock.")
    assert requested(api, order, lines=[line(order, 2, restock=False)])["amount"] == "20.00"
    assert api.stock(product_of(order)) == 2


def test_units_of_deleted_products_return(api: ApiClient, database: Connection) -> None:
    order = paid_order(api, price="10.00", units=3)
    assert api.call("DELETE", f"/api/products/{product_of(order)}").status == 204
    requested(api, order, lines=[line(order, 1, restock=True)])
    expect(200, cancel(api, order))
    assert database.run("SELECT quantity FROM products") == [[3]]
    assert database.run("SELECT kind::text, delta FROM stock_movements ORDER BY id") == [
        ["opening", 3],
        ["sale", -3],
        ["return", 1],
        ["restock", 2],
    ]


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


def expire(database: Connection) -> int:
    make_due(database)
    expired: int = load_function("expire_orders").lambda_handler({}, lambda_context())["expired"]
    return expired


def partly_paid(api: ApiClient, product_id: str, units: int) -> Order:
    """A pending order that received too little money."""
    order = api.order((product_id, units))
    event = {"amount": "1.00", "payment_reference": f"pi_{order['number']}", "event_id": f"evt_{order['number']}"}
    assert api.pay(order["id"], **event).json["outcome"] == "needs_review"
    return order


def give_back(api: ApiClient, order: Order, units: int, amount: str = "1.00") -> None:
    """Refund the money with units for the stock. Then nothing holds the order any more."""
    refund = requested(api, order, amount=amount, lines=[line(order, units, restock=True)])
    expect(200, set_status(api, refund, "succeeded"))


def test_an_expiry_gives_back_only_the_rest_of_each_order(api: ApiClient, database: Connection) -> None:
    tea, cup = (api.create_product(quantity=20)["id"] for _ in range(2))
    orders = [partly_paid(api, tea, 5) for _ in range(3)]
    for order, units in zip(orders, (2, 5, 1), strict=True):
        give_back(api, order, units)
    api.order((tea, 4), (cup, 3))
    assert api.stock(tea) == 20 - 15 - 4 + 8
    assert expire(database) == 4
    assert (api.stock(tea), api.stock(cup)) == (20, 20)
    found = movements(api, tea)
    assert Counter(delta for kind, delta, _ in found if kind == "restock") == Counter([3, 4, 4])
    sums = [sum(delta for _, delta, _ in found[: n + 1]) for n in range(len(found))]
    assert [quantity for *_, quantity in found] == sums


def test_an_order_whose_units_are_all_back_expires_however_large_the_stock_is(
    api: ApiClient, database: Connection
) -> None:
    tea = api.create_product(quantity=2)["id"]
    order = partly_paid(api, tea, 2)
    give_back(api, order, 2)
    expect(200, api.call("PUT", f"/api/products/{tea}", {"quantity": MAX_STOCK}))
    assert expire(database) == 1
    assert current(api, order)["status"] == "canceled"
    assert api.stock(tea) == MAX_STOCK


def test_an_order_whose_rest_does_not_fit_the_stock_does_not_expire(api: ApiClient, database: Connection) -> None:
    tea = api.create_product(quantity=2)["id"]
    order = partly_paid(api, tea, 2)
    give_back(api, order, 1)
    expect(200, api.call("PUT", f"/api/products/{tea}", {"quantity": MAX_STOCK}))
    assert expire(database) == 0
    expect(200, api.call("PUT", f"/api/products/{tea}", {"quantity": MAX_STOCK - 1}))
    assert expire(database) == 1
    assert (current(api, order)["status"], api.stock(tea)) == ("canceled", MAX_STOCK)
