"""No list and no write scans a table of 100,000 rows."""

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import closing
from typing import Any, get_args

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.reconciliation.models import ReconciliationKind
from tests.integration.calls import FUNCTIONS
from tests.integration.calls.function import Page, Rows
from tests.integration.races import Call, pay, place

pytestmark = pytest.mark.not_behind_a_pooler("the settings are for the test's own session")

ROWS = 100_000

FEW_ROWS = 1_000
"""A small catalog. The planner would scan it if it expected a hundred products in an order."""

# In the middle of every sort order.
MIDDLE = Rows(
    product=f"a0000000-0000-4000-8000-{ROWS // 2 + 750:012}",
    other_product=f"a0000000-0000-4000-8000-{ROWS // 2 + 751:012}",
    order=f"b0000000-0000-4000-8000-{ROWS // 2:012}",
    payment_event=f"c0000000-0000-4000-8000-{ROWS // 2:012}",
    payment=f"c0000000-0000-4000-8000-{ROWS // 2:012}",
    payment_reference=f"pi_{ROWS // 2}",
    refund=f"d0000000-0000-4000-8000-{ROWS // 2:012}",
)
SMALL_SHOPS_PRODUCT = "a0000000-0000-4000-8000-000000000550"

CALLS = [call for function in FUNCTIONS.values() for call in function.calls(MIDDLE)]
PAGES = [(name, page) for name, function in FUNCTIONS.items() for page in function.pages(MIDDLE)]

# One product in a hundred is out of stock or has a rare word. One order in ten thousand waits for its payment. Every
# second payment event needs review, but only one payment in 500 is not settled, and staff acknowledged half of those.
# One refund in ten thousand is requested, one in a hundred is pending, and one in a thousand failed. One dispute in ten
# thousand is open. If no refund was pending, the plans would depend on the rows that ANALYZE happens to read.
FILL = f"""
SET session_replication_role = replica;
INSERT INTO products (id, sku, name, description, price, quantity, created_at)
SELECT ('a0000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'TEA-' || n,
       'Tea ' || n % 1000 || CASE WHEN n = 777 THEN ' rarest' WHEN n % 100 = 0 THEN ' rare' ELSE '' END,
       repeat('Nice. ', 30), 1 + n % 500, n % 100,
       now() - n * interval '1 second'
  FROM generate_series(1, {ROWS}) n;
INSERT INTO orders (id, reference, email, customer_id, status, payment_status, total_price, created_at, updated_at,
                    paid_amount, refunded_amount, refund_status, money_changes)
SELECT ('b0000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 'SO-' || n,
       CASE WHEN n % 10 = 0 THEN 'customer' || n % 1000 || '@example.com' END, 1 + n % 1000,
       CASE WHEN n % 10000 = 0 THEN 'pending' ELSE 'completed' END::order_status,
       CASE WHEN n % 10000 = 0 THEN 'failed' ELSE 'paid' END::payment_status, 1.00, now() - n * interval '1 second',
       '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second', 0.50, 0.10, 'partial', 2
  FROM generate_series(1, {ROWS}) n;
INSERT INTO order_items (order_id, product_id, line_number, product_name, quantity, price_at_purchase)
SELECT o.id, ('a' || substr(o.id::text, 2))::uuid, 1, 'Tea', 1, 1 FROM orders o;
INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status)
SELECT id, 'placed', 'test', 'pending', 'unpaid' FROM orders;
INSERT INTO stock_movements (product_id, kind, delta, actor) SELECT id, 'opening', quantity + 1, 'test' FROM products;
INSERT INTO stock_movements (product_id, kind, delta, order_id, actor)
SELECT product_id, 'sale', -quantity, order_id, 'test' FROM order_items;
INSERT INTO payment_events
    (id, scheme, provider, event_id, order_id, payment_status, amount, body, outcome, reason, received_at)
SELECT ('c' || substr(o.id::text, 2))::uuid, 'stripe', 'stripe', 'evt_' || o.id, o.id, o.payment_status, 0.50, '{{}}',
       CASE WHEN o.customer_id % 2 = 1 THEN 'needs_review' ELSE 'applied' END::payment_event_outcome,
       CASE WHEN o.customer_id % 2 = 1 THEN 'amount_differs' END, o.created_at
  FROM orders o;
INSERT INTO payments (id, order_id, reference, amount, currency, reason, refunded_amount, is_settled, received_at)
SELECT e.id, e.order_id, 'pi_' || n, 0.50, 'USD', e.reason, CASE WHEN n % 500 = 0 THEN 0.10 ELSE 0.50 END, n % 500 > 0,
       e.received_at
  FROM payment_events e, LATERAL (SELECT right(e.id::text, 12)::integer) numbered (n);
INSERT INTO refunds
    (id, order_id, payment_id, amount, currency, status, reason, processor_reference, actor, requested_at)
SELECT ('d' || substr(p.id::text, 2))::uuid, p.order_id, p.id, 0.10, 'USD',
       CASE WHEN n % 10000 = 0 THEN 'requested' WHEN n % 100 = 2 THEN 'pending' WHEN n % 1000 = 1 THEN 'failed'
            ELSE 'succeeded' END::refund_status,
       'A cup was broken.', CASE WHEN n % 10000 > 0 THEN 're_' || n END, 'test', p.received_at
  FROM payments p, LATERAL (SELECT right(p.id::text, 12)::integer) numbered (n);
INSERT INTO refund_lines (refund_id, order_item_id, restock, quantity)
SELECT r.id, i.id, true, 1 FROM refunds r JOIN order_items i USING (order_id);
INSERT INTO disputes (order_id, payment_id, reference, status, amount, currency, opened_at, changed_at)
SELECT p.order_id, p.id, 'dp_' || n, CASE WHEN n % 10000 = 1 THEN 'open' ELSE 'won' END::dispute_status, 0.50, 'USD',
       p.received_at, p.received_at
  FROM payments p, LATERAL (SELECT right(p.id::text, 12)::integer) numbered (n);
INSERT INTO acknowledgements (kind, entry_id, money_changes, order_id, note, actor)
SELECT 'amount_mismatch', p.id, CASE WHEN p.is_settled THEN 1 ELSE 2 END, p.order_id, repeat('Cash. ', 25), 'test'
  FROM payments p
 WHERE right(p.id::text, 12)::integer % 1000 <> 0;
INSERT INTO idempotency_keys (caller, operation, key, fingerprint, body, created_at)
SELECT 'test', 'place_order', n::text, '', '{{}}', now() - n * interval '1 minute' FROM generate_series(1, {ROWS}) n;
SET session_replication_role = origin"""


@pytest.fixture(scope="module")
def crowded_shop(module_direct_url: str) -> Iterator[Connection]:
    """A session that gets the plan of each statement, on a database with many rows in every table."""
    yield from session_with_plans(module_direct_url, FILL)


@pytest.fixture
def small_shop(direct_url: str) -> Iterator[Connection]:
    """The same with few rows."""
    yield from session_with_plans(direct_url, FILL.replace(str(ROWS), str(FEW_ROWS)))


def session_with_plans(url: str, fill: str) -> Iterator[Connection]:
    with closing(db.connect(url, response_timeout=120)) as connection:
        connection.run("SET statement_timeout = 0")
        connection.run(fill)
        # As autovacuum would. Then a count reads only an index.
        connection.run("VACUUM ANALYZE")
        connection.run(
            """LOAD 'auto_explain';
               SET auto_explain.log_min_duration = 0;
               SET auto_explain.log_nested_statements = on;
               SET client_min_messages = log"""
        )
        # pg8000 keeps only the last 100 plans.
        connection.notices = deque()
        yield connection


def plans(connection: Connection, call: Call) -> list[str]:
    """The plan of each statement that a call runs. The call is rolled back."""
    connection.notices.clear()
    connection.run("BEGIN")
    outcome = call.run(connection)
    connection.run("ROLLBACK")
    assert not outcome.startswith("unknown"), outcome
    assert outcome.isalpha() or outcome == "needs_review", outcome
    return [notice[b"M"].decode() for notice in connection.notices]


def page_plan(connection: Connection, function: str, **request: Any) -> str:
    """The plan of the statement that reads the page."""
    found = plans(connection, Call(function, {"page": 1, "page_size": 20, **request}))
    assert scanned_tables(found) == []
    [plan] = [plan for plan in found if "SELECT ARRAY" in plan]
    return plan


def scanned_tables(found: list[str]) -> list[str]:
    return re.findall(r"Seq Scan on (\w+)", "".join(found))


@pytest.mark.parametrize(
    ("function", "page"), PAGES, ids=lambda one: json.dumps(one.request) if isinstance(one, Page) else one
)
@pytest.mark.parametrize("has_cursor", [False, True], ids=["page", "cursor"])
def test_a_page_is_read_in_the_order_of_an_index(
    crowded_shop: Connection, function: str, page: Page, *, has_cursor: bool
) -> None:
    after = {"after": cursor_of(crowded_shop, page)} if has_cursor else {}
    plan = page_plan(crowded_shop, function, **page.request, **after)
    if page.is_sorted:
        assert f"using {page.index}" in plan or f"on {page.index}" in plan
        return
    assert f"using {page.index}" in plan
    assert "Sort" not in plan
    if has_cursor:
        # The index starts at the cursor's row, so no row before it is read.
        assert re.search(r"Index Cond: .*(ROW\(|\(id [<>])", plan)


def cursor_of(connection: Connection, page: Page) -> list[str]:
    """The position of the row in the middle of the table."""
    values = ", ".join(f"to_json({column}) #>> '{{}}'" for column in page.position)
    [position] = connection.run(
        f"""SELECT {values} FROM {page.table} ORDER BY {", ".join(page.position)}
            OFFSET (SELECT count(*) / 2 FROM {page.table}) LIMIT 1"""
    )
    return list(map(str, position))


def test_products_are_sorted_by_stock_within_each_bucket(crowded_shop: Connection) -> None:
    crowded_shop.run("BEGIN")
    # As in a shop with fewer products.
    crowded_shop.run("UPDATE pg_class SET reltuples = 50000 WHERE oid = 'products'::regclass")
    plan = page_plan(crowded_shop, "list_products", sort="quantity", after=["1", "9", MIDDLE.product])
    crowded_shop.run("ROLLBACK")
    assert "using products_by_quantity_bucket" in plan
    assert "Presorted Key: t.quantity_bucket" in plan
    assert "Index Cond: (quantity_bucket >= " in plan


@pytest.mark.parametrize("position", [{"page": 3}, {"after": ["1", MIDDLE.product]}], ids=["page", "cursor"])
def test_very_many_products_are_not_sorted_within_a_bucket(crowded_shop: Connection, position: dict[str, Any]) -> None:
    plan = page_plan(crowded_shop, "list_products", sort="quantity", **position)
    assert "using products_by_quantity_bucket" in plan
    assert "Sort" not in plan
    assert ("Index Cond: (ROW(quantity_bucket, id) > ROW" in plan) == ("after" in position)


@pytest.mark.parametrize(
    "filters",
    [
        {"in_stock": "true"},
        {"in_stock": "false"},
        {"q": "rare"},
        {"q": "tea rare"},
        {"q": "tea"},
        {"q": "nothing"},
        {"min_price": "499", "max_price": "499.50"},
        {"max_quantity": "0"},
        {"max_quantity": "5", "in_stock": "true"},
        {"sku": "tea-777", "max_quantity": "2147483647"},
        {"min_price": "2", "q": "rare", "in_stock": "true"},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("sort", ["-created_at", "price"])
def test_filtered_products_need_no_table_scan(crowded_shop: Connection, filters: dict[str, str], sort: str) -> None:
    page_plan(crowded_shop, "list_products", sort=sort, **filters)


@pytest.mark.parametrize("position", [{}, {"after": ["1", "9", MIDDLE.product]}], ids=["page", "cursor"])
def test_products_low_in_stock_are_found_by_their_bucket(crowded_shop: Connection, position: dict[str, Any]) -> None:
    plan = page_plan(crowded_shop, "list_products", sort="quantity", max_quantity=5, **position)
    assert "using products_by_quantity_bucket" in plan
    assert re.search(r"Index Cond: .*quantity_bucket <= ", plan)


@pytest.mark.parametrize("sort", ["-created_at", "name", "price", "quantity"])
def test_a_sku_is_found_by_its_index(crowded_shop: Connection, sort: str) -> None:
    assert "products_by_sku" in page_plan(crowded_shop, "list_products", sort=sort, sku="tea-777")


@pytest.mark.parametrize("word", ["nothing", "rarest"])
@pytest.mark.parametrize("sort", ["-created_at", "name", "price", "quantity"])
def test_a_rare_word_is_found_by_the_word_index(crowded_shop: Connection, word: str, sort: str) -> None:
    assert "products_by_word" in page_plan(crowded_shop, "list_products", sort=sort, q=word)


def test_a_common_word_is_searched_in_the_sort_order(crowded_shop: Connection) -> None:
    assert "using products_by_price" in page_plan(crowded_shop, "list_products", sort="price", q="tea")


@pytest.mark.parametrize("kind", [None, *get_args(ReconciliationKind)])
@pytest.mark.parametrize("has_cursor", [False, True], ids=["page", "cursor"])
def test_reconciliation_entries_are_read_oldest_first_from_indexes(
    crowded_shop: Connection, kind: str | None, *, has_cursor: bool
) -> None:
    position = Page({}, "", "orders", ("created_at", "id"))
    after = {"after": [*cursor_of(crowded_shop, position), "paid_twice"]} if has_cursor else {}
    plan = page_plan(crowded_shop, "list_reconciliation", kind=kind, pending_minutes=1440, **after)
    assert "Sort Key: t" not in plan
    if kind is None:
        # The indexes are merged, and none is read to its end. Only entries with the same time and ID are sorted.
        assert "Merge Append" in plan
        assert re.search(r"Presorted Key: \S+ 1.\.created_at, \S+ 1.\.id\n", plan)
        starts = re.findall(r"using payments_to_settle on .*\n +(Index Cond: \W*ROW\(received_at, id\) >= )?", plan)
        assert [bool(start) for start in starts] == [has_cursor] * 2


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.function}-{call.request.get('status', '')}")
def test_a_call_finds_its_rows_by_an_index(crowded_shop: Connection, call: Call) -> None:
    found = plans(crowded_shop, call)
    assert len(found) > 1
    assert scanned_tables(found) == []


@pytest.mark.parametrize(
    "call",
    [
        place((SMALL_SHOPS_PRODUCT, 1)),
        Call("adjust_stock", {"id": SMALL_SHOPS_PRODUCT, "delta": -1, "reason": "broken"}),
        Call("update_product", {"id": SMALL_SHOPS_PRODUCT, "changes": {"quantity": 40}}),
    ],
    ids=lambda call: call.function,
)
def test_a_stock_change_updates_no_index(small_shop: Connection, call: Call) -> None:
    counts = """SELECT pg_stat_get_xact_tuples_updated(oid), pg_stat_get_xact_tuples_hot_updated(oid)
                  FROM pg_class WHERE relname = 'products'"""
    [[updated, in_place]] = small_shop.run(counts)
    call.run(small_shop)
    assert small_shop.run(counts) == [[updated + 1, in_place + 1]]


def test_an_order_does_not_scan_a_small_catalog(small_shop: Connection) -> None:
    lines = [(f"a0000000-0000-4000-8000-{n:012}", 1) for n in (501, 502, 503)]
    found = plans(small_shop, place(*lines))
    assert len(found) > 1
    assert scanned_tables(found) == []


@pytest.mark.parametrize(
    "call", [place((MIDDLE.product, 1)), pay(MIDDLE.order, "paid")], ids=lambda call: call.function
)
def test_a_function_plans_its_statements_once_per_connection(crowded_shop: Connection, call: Call) -> None:
    # A generic plan contains the parameter's name. A custom plan contains its value.
    changing = [plan for plan in plans(crowded_shop, call) if re.search(r"\n *->.*\n *Index Cond: ", plan)]
    assert changing
    assert [plan for plan in changing if re.search(r"Index Cond: \(\w+ = '", plan)] == []


@pytest.mark.parametrize("mode", ["force_custom_plan", "force_generic_plan"])
def test_whether_an_entry_is_open_is_read_by_its_id(crowded_shop: Connection, mode: str) -> None:
    crowded_shop.notices.clear()
    crowded_shop.run("BEGIN")
    crowded_shop.run(f"SET LOCAL plan_cache_mode = {mode}")
    for kind in get_args(ReconciliationKind):
        crowded_shop.run("SELECT is_open_mismatch(ARRAY[:kind], CAST(:id AS uuid))", kind=kind, id=MIDDLE.payment)
    crowded_shop.run("ROLLBACK")
    found = [plan for notice in crowded_shop.notices if "acknowledgements" in (plan := notice[b"M"].decode())]
    assert len(found) == len(get_args(ReconciliationKind))
    assert scanned_tables(found) == []
    without_condition = [
        scan for scan in re.split(r"->", "".join(found)) if "Index" in scan and "Index Cond" not in scan
    ]
    assert without_condition == []
