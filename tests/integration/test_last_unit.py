"""However many want the last unit, one gets it; whatever else happens at the same time.

Everybody is a process of its own over the whole handlers, as in Lambda: forked from one that has imported the code
already, 64 of them take about two seconds to start. Threads would share db.py's one session.
"""

from collections import Counter
from functools import partial
from itertools import chain
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.load_clients import PROCESSES, Kept, all_at_once, buy, buy_each, buy_under_keys, hold_each, trade
from tests.sizes import LAST_UNITS, SEED, TRADES

BUYERS = 64


@pytest.mark.long
@pytest.mark.not_behind_a_pooler("it keeps all but a few of the buyers from ever getting to the unit at the same time")
def test_of_64_buyers_who_wait_for_one_unit_one_gets_it(
    api: ApiClient, database_url: str, direct_url: str, database: Connection
) -> None:
    product_ids = [api.create_product(quantity=1)["id"] for _ in range(LAST_UNITS.chosen)]
    # Where they meet is the product's lock in PostgreSQL: a barrier of processes lets them go one after the other.
    holder: partial[Any] = partial(hold_each, direct_url, product_ids, BUYERS)
    _, *said = all_at_once(database_url, [holder, *[partial(buy_each, product_ids)] * BUYERS])
    for responses in zip(*said, strict=True):
        assert Counter(responses) == {(201, "placed"): 1, (400, "Insufficient stock"): BUYERS - 1}
    assert {api.stock(product_id) for product_id in product_ids} == {0}
    assert violations(database) == []


def test_1200_tries_for_500_units_sell_500(api: ApiClient, database_url: str, database: Connection) -> None:
    tea = api.create_product(quantity=500)["id"]
    said = Counter(chain(*all_at_once(database_url, [partial(buy, [(tea, 1)], 150)] * PROCESSES)))
    assert said == {(201, "placed"): 500, (400, "Insufficient stock"): 700}
    assert api.stock(tea) == 0
    assert violations(database) == []


def test_each_of_100_keys_that_everybody_sends_at_once_is_one_order(
    api: ApiClient, database_url: str, database: Connection
) -> None:
    tea = api.create_product(quantity=1000)["id"]
    keys = [f"key-{n}" for n in range(100)]
    kept = all_at_once(database_url, [partial(buy_under_keys, tea, keys)] * PROCESSES)
    order_ids = [one_order(list(responses)) for responses in zip(*kept, strict=True)]
    assert len(set(order_ids)) == 100
    assert database.run("SELECT count(*) FROM orders") == [[100]]
    assert api.stock(tea) == 900
    assert violations(database) == []


def one_order(responses: list[Kept]) -> str:
    """The order that all of the answers are about, and that one of them placed."""
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
