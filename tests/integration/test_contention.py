"""Concurrent orders never sell more than the stock."""

from collections import Counter
from functools import partial
from itertools import chain

import pytest
from pg8000.native import Connection

from local.database_setup import SAMPLE_DATA
from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.calls import FUNCTIONS
from tests.integration.calls.function import Rows
from tests.integration.load_clients import PROCESSES, all_at_once, buy
from tests.integration.races import Call, change_status, expire, make_due, pay, place, two_at_once


def test_forty_concurrent_orders_get_exactly_the_25_units(
    api: ApiClient, database_url: str, database: Connection
) -> None:
    tea = api.create_product(quantity=25)
    results = Counter(chain(*all_at_once(database_url, [partial(buy, [(tea["id"], 1)], 5)] * PROCESSES)))
    assert results == {(201, "placed"): 25, (400, "Insufficient stock"): 15}
    assert api.stock(tea["id"]) == 0
    assert database.run("SELECT count(*), sum(quantity) FROM order_items") == [[25, 25]]


def test_orders_for_the_same_products_in_opposite_order_never_deadlock(api: ApiClient, database_url: str) -> None:
    line_items = [(api.create_product(quantity=1000)["id"], 1) for _ in range(5)]
    orders = [line_items if n % 2 else line_items[::-1] for n in range(PROCESSES)]
    results = Counter(chain(*all_at_once(database_url, [partial(buy, order, 20) for order in orders])))
    assert results == {(201, "placed"): 20 * PROCESSES}
    assert {api.stock(product_id) for product_id, _ in line_items} == {1000 - 20 * PROCESSES}


@pytest.mark.parametrize(
    ("first", "second", "outcomes", "stock"),
    [
        ("canceled", "canceled", ("changed", "invalid_transition"), 10),
        ("canceled", "completed", ("changed", "invalid_transition"), 10),
        ("canceled", "paid", ("changed", "needs_refund"), 10),
        ("canceled", "failed", ("changed", "ignored"), 10),
        ("completed", "canceled", ("changed", "invalid_transition"), 7),
        ("completed", "completed", ("changed", "invalid_transition"), 7),
        ("completed", "paid", ("changed", "needs_review"), 7),
        ("completed", "failed", ("changed", "ignored"), 7),
        ("paid", "canceled", ("applied", "changed"), 10),
        ("paid", "completed", ("applied", "changed"), 7),
        ("paid", "paid", ("applied", "duplicate"), 7),
        ("paid", "failed", ("applied", "ignored"), 7),
        ("failed", "canceled", ("applied", "changed"), 10),
        ("failed", "completed", ("applied", "changed"), 7),
        ("failed", "paid", ("applied", "applied"), 7),
        ("failed", "failed", ("applied", "duplicate"), 7),
        ("expired", "canceled", ("expired", "invalid_transition"), 10),
        ("expired", "completed", ("expired", "invalid_transition"), 10),
        ("expired", "paid", ("expired", "needs_refund"), 10),
        ("expired", "failed", ("expired", "ignored"), 10),
    ],
)
def test_the_second_of_two_changes_of_an_order_waits_and_sees_the_first(
    api: ApiClient,
    database_url: str,
    database: Connection,
    *,
    first: str,
    second: str,
    outcomes: tuple[str, str],
    stock: int,
) -> None:
    tea = api.create_product(quantity=10)
    order = api.order((tea["id"], 3))
    make_due(database)
    assert two_at_once(database_url, change(order["id"], first), change(order["id"], second)) == outcomes
    assert api.stock(tea["id"]) == stock
    assert violations(database) == []


@pytest.mark.parametrize(
    ("first", "status", "stock"),
    [
        ("canceled", "canceled", 10),
        ("completed", "completed", 7),
        ("paid", "pending", 7),
        ("failed", "pending", 7),
        ("expired", "canceled", 10),
    ],
)
def test_expiry_skips_an_order_that_is_being_changed(
    api: ApiClient, database_url: str, database: Connection, *, first: str, status: str, stock: int
) -> None:
    tea = api.create_product(quantity=10)
    order = api.order((tea["id"], 3))
    make_due(database)
    # An expiry that waited for the order would end with a lock timeout.
    assert two_at_once(database_url, change(order["id"], first), expire(), waits=False)[1] == "expired"
    assert api.get(f"/api/orders/{order['id']}").json["status"] == status
    assert api.stock(tea["id"]) == stock
    assert violations(database) == []


def change(order_id: str, to: str) -> Call:
    if to == "expired":
        return expire()
    return pay(order_id, to) if to in ("paid", "failed") else change_status(order_id, to)


def test_the_second_of_two_orders_for_the_last_unit_is_refused(api: ApiClient, database_url: str) -> None:
    tea = api.create_product(quantity=1)
    order = place((tea["id"], 1))
    assert two_at_once(database_url, order, order) == ("placed", "insufficient_stock")


def test_an_order_that_waited_for_a_deletion_is_refused(api: ApiClient, database_url: str) -> None:
    tea = api.create_product()
    deletion = Call("delete_product", {"id": tea["id"]})
    assert two_at_once(database_url, deletion, place((tea["id"], 1))) == ("deleted", "unknown_products")


def test_an_order_that_waited_for_a_new_price_has_the_new_price(api: ApiClient, database_url: str) -> None:
    tea = api.create_product(price="1")
    new_price = Call("update_product", {"id": tea["id"], "changes": {"price": "2"}})
    assert two_at_once(database_url, new_price, place((tea["id"], 1))) == ("updated", "placed")
    assert api.get("/api/orders").json["items"][0]["total_price"] == "2.00"


SAMPLE = Rows(
    product="a0000000-0000-4000-8000-000000000001",
    other_product="a0000000-0000-4000-8000-000000000002",
    order="b0000000-0000-4000-8000-000000000003",
    payment_event="c0000000-0000-4000-8000-000000000001",
    payment="c0000000-0000-4000-8000-000000000001",
    payment_reference="evt_sample",
    refund="d0000000-0000-4000-8000-000000000001",
)
CALLS = [call for function in FUNCTIONS.values() for call in function.calls(SAMPLE)]


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call.function)
def test_two_identical_calls_at_once_leave_consistent_data(database: Connection, database_url: str, call: Call) -> None:
    database.run(SAMPLE_DATA.read_text())
    outcomes = two_at_once(database_url, call, call, waits=None)
    # Not the SQLSTATE of an error, such as that of a deadlock.
    assert all(outcome.replace("_", "").isalpha() for outcome in outcomes), outcomes
    assert violations(database) == []
