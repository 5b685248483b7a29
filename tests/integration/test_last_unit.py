"""Exactly one of many concurrent orders gets the last unit.

Each client is a process with its own handlers, as in Lambda, because threads would share the one session of db.py. The
processes are forked after the import, so 64 of them start in about two seconds.
"""

from collections import Counter
from functools import partial
from itertools import chain
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.load_clients import (
    PROCESSES,
    KeyedOrder,
    all_at_once,
    buy,
    buy_each,
    buy_under_keys,
    hold_each,
    trade,
)
from tests.sizes import LAST_UNITS, SEED, TRADES

CLIENTS = 64


@pytest.mark.long
@pytest.mark.not_behind_a_pooler("it lets only a few clients reach the product at the same time")
def test_one_of_64_waiting_clients_gets_the_last_unit(
    api: ApiClient, database_url: str, direct_url: str, database: Connection
) -> None:
    product_ids = [api.create_product(quantity=1)["id"] for _ in range(LAST_UNITS.chosen)]
    # The clients meet at the product's lock, because a barrier of processes releases them one after the other.
    holder: partial[Any] = partial(hold_each, direct_url, product_ids, CLIENTS)
    _, *results = all_at_once(database_url, [holder, *[partial(buy_each, product_ids)] * CLIENTS])
    for responses in zip(*results, strict=True):
        assert Counter(responses) == {(201, "placed"): 1, (400, "Insufficient stock"): CLIENTS - 1}
    assert {api.stock(product_id) for product_id in product_ids} == {0}
    assert violations(database) == []


def test_1200_orders_for_500_units_sell_500(api: ApiClient, database_url: str, database: Connection) -> None:
    tea = api.create_product(quantity=500)["id"]
    results = Counter(chain(*all_at_once(database_url, [partial(buy, [(tea, 1)], 150)] * PROCESSES)))
    assert results == {(201, "placed"): 500, (400, "Insufficient stock"): 700}
    assert api.stock(tea) == 0
    assert violations(database) == []


def test_a_key_that_all_clients_send_at_once_places_one_order(
    api: ApiClient, database_url: str, database: Connection
) -> None:
    tea = api.create_product(quantity=1000)["id"]
    keys = [f"key-{n}" for n in range(100)]
    results_by_client = all_at_once(database_url, [partial(buy_under_keys, tea, keys)] * PROCESSES)
    order_ids = [one_order(list(responses)) for responses in zip(*results_by_client, strict=True)]
    assert len(set(order_ids)) == 100
    assert database.run("SELECT count(*) FROM orders") == [[100]]
    assert api.stock(tea) == 900
    assert violations(database) == []


def one_order(responses: list[KeyedOrder]) -> str:
    """The order that all responses name, and that exactly one request placed."""
    [order_id] = {response.order_id for response in responses}
    assert [response.is_replay for response in responses].count(False) == 1
    return order_id


@pytest.mark.long
def test_orders_cancellations_and_expiries_of_the_same_products_never_deadlock(
    api: ApiClient, database_url: str, database: Connection
) -> None:
    product_ids = [api.create_product(quantity=40)["id"] for _ in range(5)]
    all_at_once(database_url, [partial(trade, f"{SEED}-{n}", product_ids, TRADES.chosen) for n in range(PROCESSES)])
    causes = database.run("SELECT DISTINCT cause::text, to_status::text FROM order_events ORDER BY 1, 2")
    assert causes == [
        ["expiry", "canceled"],
        ["placed", "pending"],
        ["status_change", "canceled"],
        ["status_change", "completed"],
    ]
    assert violations(database) == []
