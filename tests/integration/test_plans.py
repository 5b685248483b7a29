"""Every list finds its page by an index, in order, at any size."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from pg8000.native import Connection

from storefront import db

ROWS = 20_000


@pytest.fixture(scope="module")
def crowded_shop(module_database_url: str) -> Iterator[Connection]:
    """A session on a shop with many products and orders, which is told the plan of each statement."""
    with closing(db.connect(module_database_url)) as connection:
        connection.run(
            f"""INSERT INTO products (name, price, quantity, created_at)
                SELECT 'Tea ' || n % 1000, 1 + n % 500, n % 100, now() - n * interval '1 second'
                  FROM generate_series(1, {ROWS}) n;
                INSERT INTO orders (customer_id, status, payment_status, total_price, created_at)
                SELECT 1 + n % 10,
                       (enum_range(NULL::order_status))[CASE WHEN n % 100 < 2 THEN 1 + n % 100 ELSE 3 END],
                       (enum_range(NULL::payment_status))[CASE WHEN n % 100 < 2 THEN 1 + 2 * (n % 100) ELSE 2 END],
                       1, now() - n * interval '1 second'
                  FROM generate_series(1, {ROWS}) n;
                ANALYZE"""
        )
        connection.run(
            """LOAD 'auto_explain';
               SET auto_explain.log_min_duration = 0;
               SET auto_explain.log_nested_statements = on;
               SET client_min_messages = log"""
        )
        yield connection


def page_plan(connection: Connection, function: str, request: str) -> str:
    """The plan of the statement that reads the page."""
    connection.notices.clear()
    connection.run(f"SELECT outcome FROM {function}('{request}')")
    plans: list[str] = [notice[b"M"].decode() for notice in connection.notices]
    [plan] = [plan for plan in plans if "json_agg" in plan and "LIMIT" in plan]
    return plan


@pytest.mark.parametrize("sort", ["created_at", "name", "price", "quantity"])
@pytest.mark.parametrize("direction", ["", "-"])
def test_products_are_read_in_the_order_of_an_index(crowded_shop: Connection, sort: str, direction: str) -> None:
    request = f'{{"page": 3, "page_size": 20, "sort": "{direction}{sort}"}}'
    plan = page_plan(crowded_shop, "list_products", request)
    assert f"using products_by_{sort}" in plan
    assert not re.search(r"Sort|Seq Scan", plan)


@pytest.mark.parametrize("in_stock", ["true", "false"])
def test_products_filtered_by_stock_are_not_scanned_for(crowded_shop: Connection, in_stock: str) -> None:
    request = f'{{"page": 1, "page_size": 20, "sort": "-created_at", "in_stock": {in_stock}}}'
    assert "Seq Scan" not in page_plan(crowded_shop, "list_products", request)


@pytest.mark.parametrize(
    ("filters", "index"),
    [
        ("", "orders_by_created_at"),
        (', "customer_id": 7', "orders_by_customer"),
        (', "status": "pending"', "orders_by_status"),
        (', "payment_status": "failed"', "orders_by_payment_status"),
    ],
)
def test_orders_are_read_newest_first_from_an_index(crowded_shop: Connection, filters: str, index: str) -> None:
    plan = page_plan(crowded_shop, "list_orders", f'{{"page": 1, "page_size": 20{filters}}}')
    assert f"using {index}" in plan
    assert "Seq Scan on orders" not in plan
    # The one sort that is left puts the few lines of an order in their order.
    assert "Sort Key: o" not in plan
