"""A cancellation or an expiry gives back the units that refunds did not return."""

from collections import Counter

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, expect, lambda_context, load_function
from tests.handlers.refunds import (
    MAX_STOCK,
    Order,
    ask,
    cancel,
    current,
    line,
    paid_order,
    product_of,
    requested,
    set_status,
)
from tests.integration.races import make_due

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def movements(api: ApiClient, product_id: str) -> list[tuple[str, int, int]]:
    """The kind, the delta and the stock after it of each movement, oldest first."""
    found = api.items(f"/api/products/{product_id}/stock-movements", page_size=100)
    return [(entry["kind"], entry["delta"], entry["quantity"]) for entry in reversed(found)]


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
    assert response.json["errors"][0]["detail"].endswith("2 ordered, 2 already returned")
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
