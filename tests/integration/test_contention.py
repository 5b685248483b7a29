"""Nobody buys what is not there, whoever else buys at the same time."""

import multiprocessing
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager
from itertools import chain
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from tests.shop import Shop, over_handlers

PROCESSES = 8

_barrier: Any = None


def start_buyer(database_url: str, barrier: Any) -> None:
    global _barrier  # noqa: PLW0603  what a process of the pool is given when it starts
    _barrier = barrier
    os.environ["DATABASE_URL"] = database_url
    os.environ["POWERTOOLS_LOG_LEVEL"] = "CRITICAL"


def buy(lines: list[tuple[str, int]], times: int) -> list[tuple[int, str]]:
    """Buy again and again, from the moment that every process is ready."""
    shop = Shop(over_handlers)
    shop.get("/api/products")
    _barrier.wait(60)
    replies = [shop.place_order(*lines) for _ in range(times)]
    return [(reply.status, reply.json.get("title", "placed")) for reply in replies]


@contextmanager
def buyers(database_url: str) -> Iterator[ProcessPoolExecutor]:
    context = multiprocessing.get_context("spawn")
    barrier = context.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, context, start_buyer, (database_url, barrier)) as pool:
        yield pool


def test_forty_buyers_at_once_get_exactly_the_25_units(shop: Shop, database_url: str, database: Connection) -> None:
    tea = shop.create_product(quantity=25)
    with buyers(database_url) as pool:
        replies = [
            reply for bought in pool.map(buy, [[(tea["id"], 1)]] * PROCESSES, [5] * PROCESSES) for reply in bought
        ]
    assert Counter(replies) == {(201, "placed"): 25, (400, "Insufficient stock"): 15}
    assert shop.stock(tea["id"]) == 0
    assert database.run("SELECT count(*), sum(quantity) FROM order_items") == [[25, 25]]


def test_orders_for_the_same_products_in_opposite_order_never_deadlock(shop: Shop, database_url: str) -> None:
    lines = [(shop.create_product(quantity=1000)["id"], 1) for _ in range(5)]
    with buyers(database_url) as pool:
        orders = [lines if n % 2 else lines[::-1] for n in range(PROCESSES)]
        replies = Counter(chain.from_iterable(pool.map(buy, orders, [20] * PROCESSES)))
    assert replies == {(201, "placed"): 20 * PROCESSES}
    assert {shop.stock(product_id) for product_id, _ in lines} == {1000 - 20 * PROCESSES}


def two_at_once(database_url: str, first: tuple[str, str], second: tuple[str, str]) -> set[str]:
    """Run two calls in two sessions: the second starts while the first is done but not committed."""
    outcomes: list[str] = []

    def run(call: tuple[str, str], connection: Connection) -> None:
        outcomes.append(db._execute(connection, f"SELECT outcome, '' FROM {call[0]}($1)", call[1])[0])

    with closing(db.connect(database_url)) as one, closing(db.connect(database_url)) as two:
        one.run("BEGIN")
        run(first, one)
        [[pid]] = two.run("SELECT pg_backend_pid()")
        waiting = threading.Thread(target=run, args=(second, two))
        waiting.start()
        # Committed only once the second is seen to wait, so that the race is run every time.
        is_waiting = f"SELECT true FROM pg_stat_activity WHERE pid = {pid} AND wait_event_type = 'Lock'"
        while not one.run(is_waiting):
            one.run("SELECT pg_stat_clear_snapshot()")
        one.run("COMMIT")
        waiting.join()
    return set(outcomes)


@pytest.mark.parametrize(
    ("first", "second", "outcomes", "stock"),
    [
        ("canceled", "canceled", {"changed", "invalid_transition"}, 10),
        ("canceled", "completed", {"changed", "invalid_transition"}, 10),
        ("completed", "canceled", {"changed", "invalid_transition"}, 7),
        ("canceled", "paid", {"changed", "needs_refund"}, 10),
        ("paid", "canceled", {"applied", "changed"}, 10),
        ("paid", "paid", {"applied", "duplicate"}, 7),
        ("paid", "failed", {"applied", "ignored"}, 7),
        ("failed", "paid", {"applied"}, 7),
    ],
)
def test_two_changes_of_one_order_at_once_happen_one_after_the_other(
    shop: Shop, database_url: str, *, first: str, second: str, outcomes: set[str], stock: int
) -> None:
    tea = shop.create_product(quantity=10)
    order_id = shop.order((tea["id"], 3))["id"]

    def call(change: str) -> tuple[str, str]:
        if change in ("paid", "failed"):
            return "record_payment_event", f'{{"order_id": "{order_id}", "payment_status": "{change}"}}'
        return "change_order_status", f'{{"id": "{order_id}", "status": "{change}"}}'

    assert two_at_once(database_url, call(first), call(second)) == outcomes
    assert shop.stock(tea["id"]) == stock


def test_of_two_orders_for_the_last_unit_the_second_sees_the_first(shop: Shop, database_url: str) -> None:
    tea = shop.create_product(quantity=1)
    order = ("place_order", f'{{"customer_id": 1, "products": [{{"product_id": "{tea["id"]}", "quantity": 1}}]}}')
    assert two_at_once(database_url, order, order) == {"placed", "insufficient_stock"}


def test_an_order_that_waited_for_a_deletion_does_not_sell_what_is_gone(shop: Shop, database_url: str) -> None:
    tea = shop.create_product()
    deletion = ("delete_product", f'{{"id": "{tea["id"]}"}}')
    order = ("place_order", f'{{"customer_id": 1, "products": [{{"product_id": "{tea["id"]}", "quantity": 1}}]}}')
    assert two_at_once(database_url, deletion, order) == {"deleted", "unknown_products"}


def test_an_order_that_waited_for_a_new_price_pays_the_new_price(shop: Shop, database_url: str) -> None:
    tea = shop.create_product(price="1")
    change = ("update_product", f'{{"id": "{tea["id"]}", "changes": {{"price": "2"}}}}')
    order = ("place_order", f'{{"customer_id": 1, "products": [{{"product_id": "{tea["id"]}", "quantity": 1}}]}}')
    assert two_at_once(database_url, change, order) == {"updated", "placed"}
    assert shop.get("/api/orders").json["items"][0]["total_price"] == "2.00"
