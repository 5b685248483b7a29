"""Each route takes one round trip to PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from tests.api_client import ApiClient, expect, lambda_context, load_function
from tests.integration.calls import FUNCTIONS
from tests.integration.postgres_proxy import PostgresProxy, proxy_to


@pytest.fixture
def proxy(api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[PostgresProxy]:
    """A proxy in front of the database, with an open connection."""
    # The path of tmp_path is too long for a Unix socket.
    with TemporaryDirectory() as folder, proxy_to(database_url, Path(folder)) as proxy:
        monkeypatch.setenv("DATABASE_URL", proxy.url)
        api.get("/api/products")
        yield proxy
        db.disconnect()


def round_trips(proxy: PostgresProxy, api: ApiClient, method: str, path: str, body: Any = None, **headers: str) -> int:
    before = proxy.round_trips
    response = api.call(method, path, body, headers)
    assert response.status < 300, response
    return proxy.round_trips - before


@pytest.mark.parametrize("path", [path for function in FUNCTIONS.values() for path in function.paths])
def test_a_read_takes_one_round_trip(proxy: PostgresProxy, api: ApiClient, path: str) -> None:
    product = api.create_product()["id"]
    order = api.order((product, 1))["id"]
    expect(200, api.pay(order))
    assert round_trips(proxy, api, "GET", path.format(product=product, order=order)) == 1


def test_a_write_of_products_takes_one_round_trip(proxy: PostgresProxy, api: ApiClient) -> None:
    path = f"/api/products/{api.create_product()['id']}"
    new = {"name": "Tea", "price": 1, "quantity": 1}
    assert round_trips(proxy, api, "POST", "/api/products", new) == 1
    assert round_trips(proxy, api, "PUT", path, {"price": 2}) == 1
    etag = api.get(path).headers["etag"]
    assert round_trips(proxy, api, "PUT", path, {"price": 3}, **{"If-Match": etag}) == 1
    assert round_trips(proxy, api, "POST", f"{path}/stock-adjustments", {"delta": 1, "reason": "counted"}) == 1
    assert round_trips(proxy, api, "DELETE", path) == 1


@pytest.mark.parametrize("line_items", range(1, 6))
def test_an_order_with_any_number_of_line_items_takes_one_round_trip(
    proxy: PostgresProxy, api: ApiClient, line_items: int
) -> None:
    products = [{"product_id": api.create_product()["id"], "quantity": 1} for _ in range(line_items)]
    order = {"customer_id": 1, "products": products}
    assert round_trips(proxy, api, "POST", "/api/orders", order) == 1
    for _ in ("the first", "a replay"):
        assert round_trips(proxy, api, "POST", "/api/orders", order, **{"Idempotency-Key": "k"}) == 1


def test_a_status_change_takes_one_round_trip(proxy: PostgresProxy, api: ApiClient) -> None:
    tea = api.create_product()
    order = api.order((tea["id"], 1))
    assert round_trips(proxy, api, "PUT", f"/api/orders/{order['id']}/status", {"status": "canceled"}) == 1


def test_a_page_by_cursor_takes_one_round_trip(proxy: PostgresProxy, api: ApiClient) -> None:
    for _ in range(2):
        api.create_product()
    cursor = api.get("/api/products?page_size=1").json["next_cursor"]
    assert round_trips(proxy, api, "GET", f"/api/products?page_size=1&cursor={cursor}") == 1


def test_expiring_a_batch_takes_one_round_trip(proxy: PostgresProxy, api: ApiClient, database: Connection) -> None:
    tea = api.create_product()["id"]
    for _ in range(3):
        api.order((tea, 1))
    database.run("UPDATE orders SET expires_at = expires_at - interval '2 days'")
    before = proxy.round_trips
    assert load_function("expire_orders").lambda_handler({}, lambda_context()) == {
        "expired": 3,
        "postponed": 0,
        "swept": 0,
        "erased_bodies": 0,
    }
    # One for the orders, one for those that are postponed, one for the keys, and two for the bodies of payment events.
    assert proxy.round_trips - before == 5


def test_a_payment_event_takes_one_round_trip(proxy: PostgresProxy, api: ApiClient) -> None:
    order = api.order((api.create_product()["id"], 1))
    for outcome in ("applied", "duplicate"):
        before = proxy.round_trips
        assert api.pay(order["id"]).json["outcome"] == outcome
        assert proxy.round_trips - before == 1


def test_a_refund_takes_one_round_trip_for_each_step(proxy: PostgresProxy, api: ApiClient) -> None:
    order = api.order((api.create_product()["id"], 1))
    expect(200, api.pay(order["id"]))
    path = f"/api/orders/{order['id']}/refunds"
    line = {"order_item_id": order["order_items"][0]["id"], "quantity": 1, "restock": True}
    for _ in ("the first", "a replay"):
        body = {"amount": "1.00", "lines": [line]}
        assert round_trips(proxy, api, "POST", path, body, **{"Idempotency-Key": "k"}) == 1
    etag = api.get(f"/api/orders/{order['id']}").headers["etag"]
    assert round_trips(proxy, api, "POST", path, {"amount": "1.00"}, **{"If-Match": etag}) == 1
    [refund, _] = expect(200, api.get(path))["items"]
    for status in ("pending", "succeeded", "failed"):
        assert round_trips(proxy, api, "PUT", f"/api/refunds/{refund['id']}/status", {"status": status}) == 1
    cancel = {"status": "canceled", "refund": True}
    assert round_trips(proxy, api, "PUT", f"/api/orders/{order['id']}/status", cancel) == 1
    assert [found["amount"] for found in expect(200, api.get(path))["items"]] == ["1.00", "1.00", "3.50"]


def test_a_replay_takes_one_round_trip(proxy: PostgresProxy, api: ApiClient) -> None:
    expect(200, api.pay(api.order((api.create_product()["id"], 1))["id"]))
    [event] = expect(200, api.get("/api/payment-events"))["items"]
    assert round_trips(proxy, api, "POST", f"/api/payment-events/{event['id']}/replay") == 1


def test_the_proxy_counts_more_than_one_round_trip(proxy: PostgresProxy) -> None:
    with closing(db.connect(proxy.url)) as connection:
        before = proxy.round_trips
        connection.run("SELECT :x", x=1)
        # pg8000's run() takes three round trips.
        assert proxy.round_trips - before == 3
