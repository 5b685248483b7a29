"""The stock ledger of a product: every movement with the stock after it, newest first."""

from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import UNKNOWN, ApiClient, expect, lambda_context, load_function, target
from tests.handlers.lists import follow_cursors
from tests.handlers.tokens import client_with_scopes

FIELDS = {
    *("product_id", "kind", "delta", "quantity", "reason"),
    *("order_id", "refund_id", "actor", "request_id", "occurred_at"),
}


def path(product: dict[str, Any]) -> str:
    return f"/api/products/{product['id']}/stock-movements"


def adjust(api: ApiClient, product: dict[str, Any], delta: int, reason: str = "counted") -> dict[str, Any]:
    body = {"delta": delta, "reason": reason}
    adjusted: dict[str, Any] = expect(201, api.call("POST", f"/api/products/{product['id']}/stock-adjustments", body))
    return adjusted


def ledger(api: ApiClient, product: dict[str, Any]) -> list[tuple[str, int, int]]:
    """The kind, the delta and the stock after each movement, oldest first."""
    movements = [*follow_cursors(api, path(product), page_size=2)]
    return [(one["kind"], one["delta"], one["quantity"]) for one in reversed(movements)]


@pytest.fixture
def tea(api: ApiClient) -> dict[str, Any]:
    return api.create_product(quantity=10)


def test_every_change_of_the_stock_is_listed_newest_first(api: ApiClient, tea: dict[str, Any]) -> None:
    order = api.order((tea["id"], 3))
    adjusted = adjust(api, tea, 5, "delivery 17")
    expect(200, api.call("PUT", f"/api/products/{tea['id']}", {"quantity": 20}))
    api.change_status(order["id"], "canceled")
    page = expect(200, api.get(path(tea)))
    assert page.keys() == {"items", "page_size", "next_cursor"}
    assert all(movement.keys() == FIELDS for movement in page["items"])
    assert [(one["kind"], one["delta"], one["quantity"], one["reason"], one["order_id"]) for one in page["items"]] == [
        ("restock", 3, 23, None, order["id"]),
        ("adjustment", 8, 20, "quantity set", None),
        ("adjustment", 5, 12, "delivery 17", None),
        ("sale", -3, 7, None, order["id"]),
        ("opening", 10, 10, None, None),
    ]
    # The response of an adjustment is its entry in the ledger.
    assert adjusted == page["items"][2]
    assert {(one["product_id"], one["actor"]) for one in page["items"]} == {(tea["id"], "anonymous")}
    times = [one["occurred_at"] for one in page["items"]]
    assert times == sorted(times, reverse=True)


def test_a_ledger_has_only_the_movements_of_its_product(api: ApiClient, tea: dict[str, Any]) -> None:
    coffee = api.create_product(quantity=0)
    api.order((tea["id"], 1))
    assert ledger(api, coffee) == [("opening", 0, 0)]
    assert ledger(api, tea) == [("opening", 10, 10), ("sale", -1, 9)]


def test_each_page_continues_after_the_one_before_while_the_stock_changes(api: ApiClient, tea: dict[str, Any]) -> None:
    for _ in range(4):
        adjust(api, tea, 1)
    first = expect(200, api.get(target(path(tea), page_size=2)))
    adjust(api, tea, -5)
    second = expect(200, api.get(target(path(tea), page_size=2, cursor=first["next_cursor"])))
    assert [one["quantity"] for one in [*first["items"], *second["items"]]] == [14, 13, 12, 11]


def test_a_cursor_belongs_to_one_product(api: ApiClient, tea: dict[str, Any]) -> None:
    adjust(api, tea, 1)
    coffee = api.create_product()
    adjust(api, coffee, 1)
    cursor = expect(200, api.get(target(path(tea), page_size=1)))["next_cursor"]
    assert api.get(target(path(coffee), page_size=1, cursor=cursor)).problem() == (400, "bad-cursor")
    assert api.get(target(path(tea), page=1)).problem() == (422, "invalid-request")


def test_a_deleted_or_unknown_product_has_no_ledger(api: ApiClient, tea: dict[str, Any]) -> None:
    api.call("DELETE", f"/api/products/{tea['id']}")
    assert api.get(path(tea)).problem() == (404, "product-not-found")
    assert api.get(path({"id": UNKNOWN})).problem() == (404, "product-not-found")
    assert api.get(path({"id": "7"})).problem() == (422, "invalid-request")


def test_orders_that_expire_together_each_show_the_stock_after_them(
    api: ApiClient, database: Connection, tea: dict[str, Any]
) -> None:
    coffee = api.create_product(quantity=5)
    orders = [
        api.order((tea["id"], 1), (coffee["id"], 2)),
        api.order((tea["id"], 2)),
        api.order((coffee["id"], 1), (tea["id"], 3)),
    ]
    database.run("UPDATE orders SET expires_at = now() - interval '1 minute'")
    assert load_function("expire_orders").lambda_handler({}, lambda_context())["expired"] == 3
    units = {order["id"]: {item["product_id"]: item["quantity"] for item in order["order_items"]} for order in orders}
    for product, left, end in ((tea, 4, 10), (coffee, 2, 5)):
        stock = left
        restocks = [one for one in reversed(api.items(path(product))) if one["kind"] == "restock"]
        for restock in restocks:
            assert restock["delta"] == units[restock["order_id"]][product["id"]]
            stock += restock["delta"]
            assert restock["quantity"] == stock
        assert stock == end == api.stock(product["id"])
    assert violations(database) == []


FORGET = "ALTER TABLE stock_movements DISABLE TRIGGER USER; UPDATE stock_movements SET quantity = NULL WHERE {}"
"""Movements as earlier releases stored them."""


@pytest.mark.parametrize(
    "forgotten", ["true", "id % 2 = 0", "id % 3 > 0", "kind = 'sale'", "kind = 'opening'", "false"]
)
def test_the_stock_after_a_movement_of_an_earlier_release_is_computed(
    api: ApiClient, database: Connection, tea: dict[str, Any], forgotten: str
) -> None:
    for delta in (5, -3, 2):
        adjust(api, tea, delta)
        api.order((tea["id"], 1))
    database.run(FORGET.format(forgotten))
    adjust(api, tea, 9)
    assert ledger(api, tea) == [
        ("opening", 10, 10),
        ("adjustment", 5, 15),
        ("sale", -1, 14),
        ("adjustment", -3, 11),
        ("sale", -1, 10),
        ("adjustment", 2, 12),
        ("sale", -1, 11),
        ("adjustment", 9, 20),
    ]


def test_a_product_without_movements_has_an_empty_ledger(api: ApiClient, database: Connection) -> None:
    [[product_id]] = database.run("INSERT INTO products (name, price, quantity) VALUES ('x', 1, 0) RETURNING id::text")
    assert expect(200, api.get(path({"id": product_id})))["items"] == []


def test_the_largest_stock_fits(api: ApiClient) -> None:
    tea = api.create_product(quantity=2_147_483_647)
    adjust(api, tea, -2_147_483_647)
    adjust(api, tea, 2_147_483_647)
    assert [quantity for _, _, quantity in ledger(api, tea)] == [2_147_483_647, 0, 2_147_483_647]


def test_the_ledger_is_for_the_shops_catalog_only(monkeypatch: pytest.MonkeyPatch, api: ApiClient) -> None:
    tea = api.create_product()
    monkeypatch.setenv("AUTH", "on")
    assert [one["kind"] for one in client_with_scopes("catalog:write").items(path(tea))] == ["opening"]
    assert client_with_scopes("orders:manage", "orders:read").get(path(tea)).problem() == (403, "forbidden")
    customer = client_with_scopes("catalog:write", "orders:read", customer_id="7")
    assert customer.get(path(tea)).problem() == (403, "forbidden")
