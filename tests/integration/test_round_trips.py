"""Each route is one round trip to PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from tests.api_client import ApiClient, expect, lambda_context, load_function
from tests.integration.wire import Wire, wire_to


@pytest.fixture
def wire(api: ApiClient, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    """The way between the shop and its database, with a connection already made."""
    # Not tmp_path, which is too long for a Unix socket's name.
    with TemporaryDirectory() as folder, wire_to(database_url, Path(folder)) as wire:
        monkeypatch.setenv("DATABASE_URL", wire.url)
        api.get("/api/products")
        yield wire
        db.disconnect()


def round_trips(wire: Wire, api: ApiClient, method: str, path: str, body: Any = None, **headers: str) -> int:
    before = wire.round_trips
    response = api.call(method, path, body, headers)
    assert response.status < 300, response
    return wire.round_trips - before


def test_every_product_route_takes_one_round_trip(wire: Wire, api: ApiClient) -> None:
    path = f"/api/products/{api.create_product()['id']}"
    new = {"name": "Tea", "price": 1, "quantity": 1}
    assert round_trips(wire, api, "POST", "/api/products", new) == 1
    assert round_trips(wire, api, "GET", "/api/products") == 1
    assert round_trips(wire, api, "GET", path) == 1
    assert round_trips(wire, api, "PUT", path, {"price": 2}) == 1
    etag = api.get(path).headers["etag"]
    assert round_trips(wire, api, "PUT", path, {"price": 3}, **{"If-Match": etag}) == 1
    assert round_trips(wire, api, "POST", f"{path}/stock-adjustments", {"delta": 1, "reason": "counted"}) == 1
    assert round_trips(wire, api, "DELETE", path) == 1


@pytest.mark.parametrize("lines", range(1, 6))
def test_an_order_of_any_number_of_lines_takes_one_round_trip(wire: Wire, api: ApiClient, lines: int) -> None:
    products = [{"product_id": api.create_product()["id"], "quantity": 1} for _ in range(lines)]
    order = {"customer_id": 1, "products": products}
    assert round_trips(wire, api, "POST", "/api/orders", order) == 1
    for _ in ("the first", "a replay"):
        assert round_trips(wire, api, "POST", "/api/orders", order, **{"Idempotency-Key": "k"}) == 1


def test_every_other_order_route_takes_one_round_trip(wire: Wire, api: ApiClient) -> None:
    tea = api.create_product()
    order = api.order((tea["id"], 1))
    assert round_trips(wire, api, "GET", "/api/orders") == 1
    assert round_trips(wire, api, "GET", f"/api/orders/{order['id']}") == 1
    assert round_trips(wire, api, "GET", f"/api/orders/{order['id']}/events") == 1
    assert round_trips(wire, api, "PUT", f"/api/orders/{order['id']}/status", {"status": "canceled"}) == 1


def test_a_page_by_its_cursor_takes_one_round_trip(wire: Wire, api: ApiClient) -> None:
    for _ in range(2):
        api.create_product()
    cursor = api.get("/api/products?page_size=1").json["next_cursor"]
    assert round_trips(wire, api, "GET", f"/api/products?page_size=1&cursor={cursor}") == 1


def test_a_batch_of_expired_orders_takes_one_round_trip(wire: Wire, api: ApiClient, database: Connection) -> None:
    tea = api.create_product()["id"]
    for _ in range(3):
        api.order((tea, 1))
    database.run("UPDATE orders SET created_at = created_at - interval '2 days'")
    before = wire.round_trips
    assert load_function("expire_orders").lambda_handler({}, lambda_context()) == {"expired": 3, "swept": 0}
    # One for the orders, one for the keys.
    assert wire.round_trips - before == 2


def test_a_payment_event_takes_one_round_trip(wire: Wire, api: ApiClient) -> None:
    order = api.order((api.create_product()["id"], 1))
    for said in ("applied", "duplicate"):
        before = wire.round_trips
        assert api.pay(order["id"]).json["outcome"] == said
        assert wire.round_trips - before == 1


def test_the_routes_about_payment_events_take_one_round_trip(wire: Wire, api: ApiClient) -> None:
    expect(200, api.pay(api.order((api.create_product()["id"], 1))["id"]))
    [event] = expect(200, api.get("/api/payment-events"))["items"]
    assert round_trips(wire, api, "GET", "/api/payment-events") == 1
    assert round_trips(wire, api, "POST", f"/api/payment-events/{event['id']}/replay") == 1
    assert round_trips(wire, api, "GET", "/api/reconciliation") == 1


def test_the_proxy_counts_what_is_more_than_one(wire: Wire) -> None:
    with closing(db.connect(wire.url)) as connection:
        before = wire.round_trips
        connection.run("SELECT :x", x=1)
        # pg8000's own way of running a statement.
        assert wire.round_trips - before == 3
