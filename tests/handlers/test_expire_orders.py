"""Orders that are not paid in time are canceled, and their stock is returned once."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.audit import violations
from storefront.errors import Unavailable
from tests.api_client import ApiClient, expect, lambda_context, load_function
from tests.integration.races import expire


def run(context: SimpleNamespace | None = None) -> dict[str, int]:
    response: dict[str, int] = load_function("expire_orders").lambda_handler({}, context or lambda_context())
    return response


def make_older(database: Connection, *order_ids: str, minutes: int = 1441) -> None:
    """Move the times at which the orders expire back."""
    database.run(
        "UPDATE orders SET expires_at = expires_at - make_interval(mins => :minutes) WHERE id = ANY (:ids)",
        minutes=minutes,
        ids=list(order_ids),
    )


def status(api: ApiClient, order: dict[str, Any]) -> str:
    return str(expect(200, api.get(f"/api/orders/{order['id']}"))["status"])


def test_only_old_pending_orders_without_payment_expire(api: ApiClient, database: Connection) -> None:
    tea = api.create_product(quantity=100)["id"]
    orders = {
        name: api.order((tea, 10)) for name in ("unpaid", "failed", "paid", "completed", "canceled", "young", "almost")
    }
    for name in ("paid", "failed"):
        expect(200, api.pay(orders[name]["id"], name))
    for name in ("completed", "canceled"):
        expect(200, api.change_status(orders[name]["id"], name))
    make_older(database, *(orders[name]["id"] for name in ("unpaid", "failed", "paid", "completed", "canceled")))
    make_older(database, orders["almost"]["id"], minutes=1439)
    assert run()["expired"] == 2
    assert {name: status(api, order) for name, order in orders.items()} == {
        "unpaid": "canceled",
        "failed": "canceled",
        "paid": "pending",
        "completed": "completed",
        "canceled": "canceled",
        "young": "pending",
        "almost": "pending",
    }
    assert api.stock(tea) == 60
    assert run()["expired"] == 0
    assert violations(database) == []


@pytest.mark.parametrize(("minutes", "expired"), [("1", 1), ("3", 0), ("0", 0), ("9999999", 0)])
def test_the_time_to_live_can_be_changed_or_disabled(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch, *, minutes: str, expired: int
) -> None:
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", minutes)
    make_older(database, api.order((api.create_product()["id"], 1))["id"], minutes=2)
    assert run()["expired"] == expired


def test_a_changed_time_to_live_applies_to_new_orders(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    tea = api.create_product()["id"]
    before = api.order((tea, 1))
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", "1")
    after = api.order((tea, 1))
    make_older(database, before["id"], after["id"], minutes=2)
    assert run()["expired"] == 1
    assert (status(api, before), status(api, after)) == ("pending", "canceled")


def test_a_time_to_live_of_0_stops_the_expiry_of_every_order(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_older(database, api.order((api.create_product()["id"], 1))["id"])
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", "0")
    assert run()["expired"] == 0
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", "1440")
    assert run()["expired"] == 1


@pytest.mark.usefixtures("api")
@pytest.mark.parametrize("minutes", ["", "-1", "1.5", "soon", "١", "9" * 8])
def test_an_invalid_time_to_live_is_an_error(monkeypatch: pytest.MonkeyPatch, minutes: str) -> None:
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", minutes)
    with pytest.raises(ValueError, match="ORDER_TIME_TO_LIVE_MINUTES should be a number"):
        run()


def test_expired_keys_are_deleted_even_if_the_time_to_live_is_invalid(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.call("POST", "/api/products", {"name": "Tea", "price": 1, "quantity": 1}, {"Idempotency-Key": "k"})
    database.run("UPDATE idempotency_keys SET created_at = created_at - interval '73 hours'")
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", "soon")
    with pytest.raises(ValueError, match="ORDER_TIME_TO_LIVE_MINUTES"):
        run()
    assert database.run("SELECT count(*) FROM idempotency_keys") == [[0]]


def test_a_run_expires_batches_until_no_order_is_left(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_function("expire_orders"), "BATCH_SIZE", 2)
    products = [api.create_product(quantity=100)["id"] for _ in range(3)]
    orders = [api.order((products[n % 3], 1), (products[(n + 1) % 3], 2)) for n in range(5)]
    make_older(database, *(order["id"] for order in orders))
    assert run()["expired"] == 5
    assert [api.stock(product) for product in products] == [100, 100, 100]
    assert violations(database) == []


def test_a_run_stops_when_its_time_is_up_and_the_next_one_continues(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_function("expire_orders"), "BATCH_SIZE", 1)
    tea = api.create_product()["id"]
    make_older(database, *(api.order((tea, 1))["id"] for _ in range(3)))
    remaining = iter([30_000, 30_000, 30_000, 30_000, 30_000, 10_000])
    context = lambda_context()
    context.get_remaining_time_in_millis = lambda: next(remaining)
    assert run(context) == {"expired": 2, "postponed": 0, "swept": 0, "erased_bodies": 0}
    assert run() == {"expired": 1, "postponed": 0, "swept": 0, "erased_bodies": 0}


def test_stock_that_would_overflow_blocks_only_its_own_order(api: ApiClient, database: Connection) -> None:
    full, tea = api.create_product(quantity=1)["id"], api.create_product()["id"]
    stuck, other = api.order((full, 1)), api.order((tea, 1))
    api.call("PUT", f"/api/products/{full}", {"quantity": 2_147_483_647})
    make_older(database, stuck["id"], other["id"])
    assert run()["expired"] == 1
    assert (status(api, stuck), status(api, other)) == ("pending", "canceled")


def test_expiry_skips_an_order_whose_stock_would_overflow(api: ApiClient, database: Connection) -> None:
    full, tea = api.create_product(quantity=2)["id"], api.create_product()["id"]
    orders = [api.order((full, 1)), api.order((full, 1)), api.order((tea, 1))]
    api.call("PUT", f"/api/products/{full}", {"quantity": 2_147_483_646})
    make_older(database, *(order["id"] for order in orders))
    assert run()["expired"] == 2
    assert [status(api, order) for order in orders] == ["canceled", "pending", "canceled"]
    assert violations(database) == []


def test_an_order_whose_product_is_locked_does_not_keep_older_orders_from_expiring(
    api: ApiClient, database: Connection, direct_url: str
) -> None:
    free, busy = api.create_product()["id"], api.create_product()["id"]
    older, newer = api.order((free, 1)), api.order((busy, 1))
    make_older(database, older["id"], newer["id"])
    [[name]] = database.run("SELECT quote_ident(current_database())")
    database.run(f"ALTER DATABASE {name} SET lock_timeout = 50")
    db.disconnect()
    with closing(db.connect(direct_url)) as other:
        other.run("BEGIN")
        other.run("SELECT FROM products WHERE id = CAST(:id AS uuid) FOR UPDATE", id=busy)
        # The batch with both fails. One by one, only the second one does, and the next run tries it again.
        with pytest.raises(Unavailable):
            run()
        assert (status(api, older), status(api, newer)) == ("canceled", "pending")
        other.run("COMMIT")
    assert run()["expired"] == 1


def test_concurrent_runs_expire_each_order_once(api: ApiClient, database: Connection, database_url: str) -> None:
    products = [api.create_product(quantity=1000)["id"] for _ in range(4)]
    for n in range(100):
        api.order((products[n % 4], 1), (products[(n + 1) % 4], 1))
    database.run("UPDATE orders SET expires_at = expires_at - interval '2 days'")

    def expire_all(_: int) -> int:
        runs = 0
        with closing(db.connect(database_url)) as connection:
            while database_has_pending(connection):
                assert expire().run(connection) == "expired"
                runs += 1
        return runs

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(expire_all, range(8)))
    assert [api.stock(product) for product in products] == [1000] * 4
    assert database.run("SELECT count(*) FROM order_events WHERE cause = 'expiry'") == [[100]]
    assert violations(database) == []


def database_has_pending(connection: Connection) -> bool:
    [[found]] = connection.run("SELECT EXISTS (SELECT FROM orders WHERE status = 'pending')")
    return bool(found)


def test_only_expired_idempotency_keys_are_deleted(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(load_function("expire_orders"), "BATCH_SIZE", 2)
    product = {"name": "Tea", "price": 1, "quantity": 1}
    for key in "abcdef":
        api.call("POST", "/api/products", product, {"Idempotency-Key": key})
    database.run("UPDATE idempotency_keys SET created_at = created_at - interval '73 hours' WHERE key < 'f'")
    assert run()["swept"] == 5
    assert database.run("SELECT key FROM idempotency_keys") == [["f"]]
