"""Every change of a product's stock is a movement with its actor, its reason and its order."""

from typing import Any

import pytest
from pg8000.native import Connection, DatabaseError

from storefront.audit import violations
from tests.api_client import UNKNOWN, ApiClient, Response, expect


def adjust(api: ApiClient, product_id: str, delta: Any, reason: Any = "counted") -> Response:
    return api.call("POST", f"/api/products/{product_id}/stock-adjustments", {"delta": delta, "reason": reason})


def movements(database: Connection) -> list[list[Any]]:
    return database.run("SELECT kind::text, delta, reason, order_id::text FROM stock_movements ORDER BY id")  # type: ignore[no-any-return]  # untyped


def test_an_adjustment_adds_or_removes_stock(api: ApiClient, tea: str) -> None:
    made = expect(201, adjust(api, tea, 5, "delivery 17"))
    assert {name: made[name] for name in ("product_id", "kind", "delta", "reason", "quantity")} == {
        "product_id": tea,
        "kind": "adjustment",
        "delta": 5,
        "reason": "delivery 17",
        "quantity": 15,
    }
    assert expect(201, adjust(api, tea, -15))["quantity"] == 0
    assert api.stock(tea) == 0


def test_an_adjustment_beyond_the_stock_is_refused(api: ApiClient, tea: str, database: Connection) -> None:
    response = adjust(api, tea, -11)
    assert response.problem() == (400, "insufficient-stock")
    assert response.json["detail"] == "Insufficient stock for Tea: 11 requested, 10 available"
    assert adjust(api, tea, -2_147_483_647).problem() == (400, "insufficient-stock")
    assert adjust(api, tea, 2_147_483_647).problem() == (422, "number-out-of-range")
    assert api.stock(tea) == 10
    assert len(movements(database)) == 1


def test_an_adjustment_of_a_deleted_or_unknown_product_returns_404(api: ApiClient, tea: str) -> None:
    api.call("DELETE", f"/api/products/{tea}")
    assert adjust(api, tea, 1).problem() == (404, "product-not-found")
    assert adjust(api, UNKNOWN, 1).problem() == (404, "product-not-found")
    assert adjust(api, "7", 1).problem() == (422, "invalid-request")


def test_a_delta_may_be_written_with_a_fraction_of_zero(api: ApiClient, tea: str) -> None:
    assert str(expect(201, adjust(api, tea, -3.0))["delta"]) == "-3"


@pytest.mark.parametrize("delta", [0, 0.0, None, "1", 1.5, 2_147_483_648, -2_147_483_648, True, 1e400])
def test_an_invalid_delta_returns_422(api: ApiClient, tea: str, delta: Any) -> None:
    response = adjust(api, tea, delta)
    assert response.problem() == (422, "invalid-request")
    assert [error["pointer"] for error in response.json["errors"]] == ["#/delta"]


@pytest.mark.parametrize("reason", ["", " ", None, 1, "x" * 256, "a\0", "\u200b\u3164", "a\nb"])
def test_an_invalid_reason_returns_422(api: ApiClient, tea: str, reason: Any) -> None:
    response = adjust(api, tea, 1, reason)
    assert response.problem() == (422, "invalid-request")
    assert [error["pointer"] for error in response.json["errors"]] == ["#/reason"]


def test_every_stock_change_is_a_movement(api: ApiClient, tea: str, database: Connection) -> None:
    order = api.order((tea, 3))
    api.call("PUT", f"/api/products/{tea}", {"quantity": 20})
    api.call("PUT", f"/api/products/{tea}", {"quantity": 20, "price": 2})
    adjust(api, tea, -1, "broken")
    api.change_status(order["id"], "canceled")
    assert movements(database) == [
        ["opening", 10, None, None],
        ["sale", -3, None, order["id"]],
        ["adjustment", 13, "quantity set", None],
        ["adjustment", -1, "broken", None],
        ["restock", 3, None, order["id"]],
    ]
    assert api.stock(tea) == 22
    assert violations(database) == []


def test_a_movement_has_its_actor_and_its_request_id(api: ApiClient, tea: str, database: Connection) -> None:
    made = expect(201, adjust(api, tea, 1))
    stored = database.run("SELECT actor, request_id FROM stock_movements WHERE kind = 'adjustment'")
    assert stored == [["anonymous", made["request_id"]]]


@pytest.mark.parametrize("table", ["order_events", "stock_movements"])
@pytest.mark.parametrize("change", ["UPDATE {} SET actor = 'x'", "DELETE FROM {}", "DELETE FROM {} WHERE false"])
def test_the_history_is_append_only(api: ApiClient, tea: str, database: Connection, table: str, change: str) -> None:
    api.order((tea, 1))
    before = database.run(f"SELECT * FROM {table}")
    with pytest.raises(DatabaseError, match=f"{table} is append-only"):
        database.run(change.format(table))
    with pytest.raises(DatabaseError, match=f"{table} is append-only"):
        database.run(f"TRUNCATE {table}")
    assert database.run(f"SELECT * FROM {table}") == before != []


def test_the_database_refuses_to_return_stock_twice(api: ApiClient, tea: str, database: Connection) -> None:
    order = api.order((tea, 1))
    api.change_status(order["id"], "canceled")
    with pytest.raises(DatabaseError, match="stock_movements_once_per_order"):
        database.run(f"SELECT restock_orders(ARRAY['{order['id']}']::uuid[], '{{\"actor\": \"x\"}}')")
    assert api.stock(tea) == 10
