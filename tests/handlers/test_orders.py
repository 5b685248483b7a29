"""The order routes, from event to response."""

from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect, target

FIELDS = {
    *("id", "number", "reference", "customer_id", "status", "payment_status", "currency"),
    *("subtotal", "charges", "total_price", "order_items"),
    *("paid_amount", "refunded_amount", "refund_status"),
    *("email", "shipping_address", "billing_address", "note", "metadata"),
    *("expires_at", "created_at", "updated_at"),
}


def line_item(**fields: Any) -> dict[str, Any]:
    return {"id": "", "sku": None, **fields}


def test_an_order_takes_the_stock_and_is_returned_in_full(api: ApiClient) -> None:
    tea, cup = api.create_product(price="4.50"), api.create_product(name="Cup", price="7", quantity=2)
    response = api.place_order((cup["id"], 2), (tea["id"], 3), customer_id=12345)
    order = expect(201, response)
    assert order.keys() == FIELDS
    assert (order["customer_id"], order["status"], order["payment_status"]) == (12345, "pending", "unpaid")
    assert order["total_price"] == "27.50"
    assert [{**item, "id": ""} for item in order["order_items"]] == [
        line_item(product_id=cup["id"], product_name="Cup", quantity=2, price_at_purchase="7.00"),
        line_item(product_id=tea["id"], product_name="Tea", quantity=3, price_at_purchase="4.50"),
    ]
    assert (api.stock(tea["id"]), api.stock(cup["id"])) == (7, 0)
    assert response.headers["location"] == f"/api/orders/{order['id']}"
    assert expect(200, api.get(response.headers["location"])) == order


def test_line_items_for_the_same_product_are_added_together(api: ApiClient) -> None:
    tea = api.create_product(quantity=5)
    order = api.order((tea["id"], 2), (tea["id"].upper(), 3))
    assert [item["quantity"] for item in order["order_items"]] == [5]
    assert api.stock(tea["id"]) == 0


def test_line_items_that_together_exceed_the_stock_return_400(api: ApiClient) -> None:
    tea = api.create_product(quantity=4)
    assert api.place_order((tea["id"], 2), (tea["id"], 3)).problem() == (400, "insufficient-stock")
    assert api.stock(tea["id"]) == 4


def test_every_line_item_with_too_little_stock_is_listed_and_no_stock_moves(api: ApiClient) -> None:
    tea, cup, pot = (api.create_product(name=name, quantity=1) for name in ("Tea", "Cup", "Pot"))
    response = api.place_order((tea["id"], 2), (cup["id"], 1), (pot["id"], 2_147_483_647))
    assert response.problem() == (400, "insufficient-stock")
    assert response.json["detail"] == "Insufficient stock for Tea, Pot"
    assert [(e["pointer"], e["requested"], e["available"]) for e in response.json["errors"]] == [
        ("#/products/0/quantity", 2, 1),
        ("#/products/2/quantity", 2_147_483_647, 1),
    ]
    assert [api.stock(product["id"]) for product in (tea, cup, pot)] == [1, 1, 1]


def test_every_missing_product_is_listed_and_no_stock_moves(api: ApiClient) -> None:
    tea, gone = api.create_product(), api.create_product()
    api.call("DELETE", f"/api/products/{gone['id']}")
    response = api.place_order((tea["id"], 1), (gone["id"], 1), (UNKNOWN, 1))
    assert response.problem() == (404, "product-not-found")
    assert [error["pointer"] for error in response.json["errors"]] == [
        "#/products/1/product_id",
        "#/products/2/product_id",
    ]
    assert gone["id"] in response.json["detail"]
    assert UNKNOWN in response.json["detail"]
    assert api.stock(tea["id"]) == 10


def test_quantities_that_together_overflow_an_integer_return_400(api: ApiClient) -> None:
    tea = api.create_product()
    assert api.place_order(*[(tea["id"], 2_147_483_647)] * 100).problem() == (400, "insufficient-stock")


def test_a_total_that_is_too_large_returns_422_and_no_stock_moves(api: ApiClient) -> None:
    gold = api.create_product(price="99999999.99", quantity=2)
    api.order((gold["id"], 1))
    cup = api.create_product(price="0.01")
    assert api.place_order((gold["id"], 1), (cup["id"], 1)).problem() == (422, "total-too-large")
    assert (api.stock(gold["id"]), api.stock(cup["id"])) == (1, 10)


def test_an_order_keeps_its_names_and_prices_when_the_product_changes(api: ApiClient) -> None:
    tea = api.create_product()
    order = api.order((tea["id"], 1))
    api.call("PUT", f"/api/products/{tea['id']}", {"name": "Coffee", "price": "9"})
    api.call("DELETE", f"/api/products/{tea['id']}")
    assert expect(200, api.get(f"/api/orders/{order['id']}")) == order


def test_the_integers_of_an_order_may_be_written_with_a_fraction_of_zero(api: ApiClient) -> None:
    body = {"customer_id": 12345.0, "products": [{"product_id": api.create_product()["id"], "quantity": 2.0}]}
    order = expect(201, api.call("POST", "/api/orders", body))
    assert (str(order["customer_id"]), str(order["order_items"][0]["quantity"])) == ("12345", "2")


LINE_ITEM = {"product_id": UNKNOWN, "quantity": 1}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"customer_id": 0}, "#/customer_id"),
        ({"customer_id": 2_147_483_648}, "#/customer_id"),
        ({"customer_id": "1"}, "#/customer_id"),
        ({"customer_id": None}, "#/customer_id"),
        ({"products": []}, "#/products"),
        ({"products": [LINE_ITEM] * 101}, "#/products"),
        ({"products": None}, "#/products"),
        ({"products": {"0": LINE_ITEM}}, "#/products"),
        ({"products": [None]}, "#/products/0"),
        ({"products": [LINE_ITEM, {**LINE_ITEM, "quantity": 0}]}, "#/products/1/quantity"),
        ({"products": [{**LINE_ITEM, "quantity": 2_147_483_648}]}, "#/products/0/quantity"),
        ({"products": [{**LINE_ITEM, "quantity": 1.5}]}, "#/products/0/quantity"),
        ({"products": [{**LINE_ITEM, "product_id": "7"}]}, "#/products/0/product_id"),
        ({"products": [{**LINE_ITEM, "product_id": f"{UNKNOWN}\0"}]}, "#/products/0/product_id"),
        ({"products": [{**LINE_ITEM, "product_id": f"{UNKNOWN}\n"}]}, "#/products/0/product_id"),
        ({"products": [{**LINE_ITEM, "price": "0.01"}]}, "#/products/0/price"),
        ({"total_price": "0.01"}, "#/total_price"),
        ({"status": "completed"}, "#/status"),
    ],
)
def test_an_invalid_order_returns_422(api: ApiClient, fields: dict[str, Any], pointer: str) -> None:
    response = api.call("POST", "/api/orders", {"customer_id": 1, "products": [LINE_ITEM], **fields})
    assert response.problem() == (422, "invalid-request")
    assert [error["pointer"] for error in response.json["errors"]] == [pointer]


def test_a_second_cancellation_returns_400_and_no_more_stock(api: ApiClient) -> None:
    tea, cup = api.create_product(), api.create_product(name="Cup")
    order = api.order((tea["id"], 3), (cup["id"], 1))
    canceled = expect(200, api.change_status(order["id"], "canceled"))
    assert canceled == {**order, "status": "canceled", "expires_at": None, "updated_at": canceled["updated_at"]}
    response = api.change_status(order["id"], "canceled")
    assert response.problem() == (400, "invalid-transition")
    assert response.json["detail"] == "Cannot transition from canceled to canceled"
    assert (api.stock(tea["id"]), api.stock(cup["id"])) == (10, 10)


def test_a_cancellation_returns_the_stock_of_a_deleted_product(api: ApiClient, database: Any) -> None:
    tea = api.create_product()
    order = api.order((tea["id"], 3))
    api.call("DELETE", f"/api/products/{tea['id']}")
    expect(200, api.change_status(order["id"], "canceled"))
    assert database.run("SELECT quantity FROM products") == [[10]]


def test_a_cancellation_that_would_overflow_the_stock_returns_422(api: ApiClient) -> None:
    tea = api.create_product(quantity=1)
    order = api.order((tea["id"], 1))
    api.call("PUT", f"/api/products/{tea['id']}", {"quantity": 2_147_483_647})
    assert api.change_status(order["id"], "canceled").problem() == (422, "number-out-of-range")
    assert expect(200, api.get(f"/api/orders/{order['id']}")) == order


@pytest.mark.parametrize("first", ["completed", "canceled"])
@pytest.mark.parametrize("second", ["pending", "completed", "canceled"])
def test_completed_and_canceled_orders_are_final(api: ApiClient, first: str, second: str) -> None:
    order = api.order((api.create_product()["id"], 1))
    expect(200, api.change_status(order["id"], first))
    response = api.change_status(order["id"], second)
    assert response.problem() == (400, "invalid-transition")
    assert response.json["detail"] == f"Cannot transition from {first} to {second}"


def test_a_pending_order_cannot_become_pending(api: ApiClient) -> None:
    order = api.order((api.create_product()["id"], 1))
    assert api.change_status(order["id"], "pending").problem() == (400, "invalid-transition")


def test_an_unknown_status_returns_422(api: ApiClient) -> None:
    assert api.change_status(UNKNOWN, "paid").problem() == (422, "invalid-request")


def test_an_unknown_order_returns_404(api: ApiClient) -> None:
    assert api.get(f"/api/orders/{UNKNOWN}").problem() == (404, "order-not-found")
    assert api.change_status(UNKNOWN, "canceled").problem() == (404, "order-not-found")
    assert api.get("/api/orders/7").problem() == (422, "invalid-request")


def test_orders_are_listed_newest_first_with_their_line_items(api: ApiClient) -> None:
    tea = api.create_product()
    orders = [api.order((tea["id"], 1)) for _ in range(3)][::-1]
    page = expect(200, api.get(target("/api/orders", page=1, page_size=2)))
    assert page == {
        "items": orders[:2],
        "total": 3,
        "page": 1,
        "page_size": 2,
        "total_pages": 2,
        "next_cursor": page["next_cursor"],
    }
    assert expect(200, api.get(target("/api/orders", page=2, page_size=2)))["items"] == orders[2:]


def test_orders_can_be_filtered_by_status_payment_status_and_customer(api: ApiClient) -> None:
    tea = api.create_product()
    pending, canceled = api.order((tea["id"], 1), customer_id=1), api.order((tea["id"], 1), customer_id=2)
    api.change_status(canceled["id"], "canceled")
    expect(200, api.pay(pending["id"], "failed"))

    def ids(**filters: Any) -> list[str]:
        page = expect(200, api.get(target("/api/orders", **filters)))
        assert page["total"] == len(page["items"])
        return [item["id"] for item in page["items"]]

    assert ids(status="pending") == ids(payment_status="failed") == ids(customer_id=1) == [pending["id"]]
    assert ids(status="canceled", payment_status="unpaid", customer_id=2) == [canceled["id"]]
    assert ids(status="canceled", customer_id=1) == ids(status="completed") == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [("status", "paid"), ("payment_status", "pending"), ("customer_id", "0"), ("customer_id", "1e3"), ("sort", "id")],
)
def test_an_invalid_list_parameter_is_named(api: ApiClient, parameter: str, value: str) -> None:
    response = api.get(target("/api/orders", **{parameter: value}))
    assert response.problem() == (422, "invalid-request")
    assert [error["parameter"] for error in response.json["errors"]] == [parameter]
