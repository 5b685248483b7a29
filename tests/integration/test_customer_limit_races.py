"""Orders, payments and cancellations of one customer at the same time."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from functools import partial
from threading import Barrier
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.races import ACTOR, Call, change_status, pay, place, start, two_at_once

LIMITS = {"order_lines": 10, "order_units": 10, "customer_orders": 3, "customer_units": 10, "daily_orders": 50}
CUSTOMERS_CALLS = 8


@pytest.fixture
def tea(api: ApiClient) -> str:
    return str(api.create_product(quantity=1000)["id"])


@pytest.fixture
def order(api: ApiClient, tea: str) -> str:
    """The ID of an order of customer 1."""
    return str(api.place_order((tea, 1), customer_id=1).json["id"])


def buy(product_id: str, customer_id: int = 1, **fields: Any) -> Call:
    return place((product_id, 1), customer_id=customer_id, limits=LIMITS, **fields)


def cancel(order_id: str) -> Call:
    """Cancel an order as customer 1."""
    return change_status(order_id, "canceled", customer_id=1)


def test_the_second_of_two_orders_of_a_customer_is_refused_at_once(database_url: str, tea: str) -> None:
    assert two_at_once(database_url, buy(tea), buy(tea), waits=False) == ("placed", "customer_limit")


def under_key(call: Call, **fields: Any) -> Call:
    """The same call under an idempotency key, as customer 1."""
    content = {**call.request, **ACTOR, "party": "customer", **fields}
    request = {"operation": call.function, "caller": "customer-1", "key": "k", "fingerprint": "f", "content": content}
    return Call("call_once", request)


def test_the_second_of_two_requests_of_a_customer_with_one_key_is_refused_at_once(database_url: str, tea: str) -> None:
    order = under_key(buy(tea))
    assert two_at_once(database_url, order, order, waits=False) == ("placed", "in_flight")


def test_the_second_of_two_requests_of_the_shop_with_one_key_waits(database_url: str, tea: str) -> None:
    order = under_key(place((tea, 1), customer_id=1), party="shop")
    assert two_at_once(database_url, order, order) == ("placed", "replayed")


def test_orders_of_two_customers_do_not_wait_for_the_limits(api: ApiClient, database_url: str, tea: str) -> None:
    coffee = api.create_product(name="Coffee")["id"]
    assert two_at_once(database_url, buy(tea), buy(coffee, customer_id=2), waits=False) == ("placed", "placed")


def test_the_limits_hold_when_a_customer_sends_many_orders_at_once(
    database: Connection, database_url: str, tea: str
) -> None:
    barrier = Barrier(CUSTOMERS_CALLS)

    def buy_often(_: int) -> list[str]:
        with closing(db.connect(database_url)) as session:
            barrier.wait()
            return [buy(tea).run(session) for _ in range(10)]

    with ThreadPoolExecutor(CUSTOMERS_CALLS) as pool:
        outcomes = [outcome for results in pool.map(buy_often, range(CUSTOMERS_CALLS)) for outcome in results]
    assert "placed" in outcomes
    # A call during another one is refused, so all calls can end before the limit is reached. The next calls follow one
    # another.
    outcomes += [buy(tea).run(database) for _ in range(LIMITS["customer_orders"])]
    assert outcomes.count("placed") == LIMITS["customer_orders"]
    assert set(outcomes) == {"placed", "customer_limit"}
    assert violations(database) == []


@pytest.mark.parametrize(
    ("payment", "outcomes"),
    [
        (partial(pay, payment_status="paid"), ("applied", "payment_under_way")),
        (start, ("ignored", "payment_under_way")),
        (partial(pay, payment_status="failed"), ("applied", "changed")),
    ],
    ids=["paid", "under way", "failed"],
)
def test_a_customers_cancellation_that_waited_for_a_payment_sees_it(
    database: Connection, database_url: str, order: str, payment: Callable[[str], Call], outcomes: tuple[str, str]
) -> None:
    assert two_at_once(database_url, payment(order), cancel(order)) == outcomes
    assert violations(database) == []


def test_a_payment_that_waited_for_a_customers_cancellation_needs_a_refund(
    database: Connection, database_url: str, order: str
) -> None:
    assert two_at_once(database_url, cancel(order), pay(order, "paid")) == ("changed", "needs_refund")
    assert violations(database) == []
