"""Measures pages of lists, by the number of rows and by the page's position."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pg8000.native import Connection

from benchmarks.bench import STOREFRONT, Bench
from benchmarks.workers import Timing, Work, run, start_workers, summary
from benchmarks.workloads import event
from local.settings import LOCAL_CURSOR_KEY
from storefront import db
from storefront.lists import cursor
from storefront.orders.models import OrderListParameters
from storefront.products.models import ProductListParameters
from tests.integration.large_catalog import fill_catalog

PAGE_SIZE = 20
DEEP_PAGE = 1_000

FILTERS: dict[str, list[tuple[str, dict[str, str], str]]] = {
    "products": [
        ("", {}, "true"),
        (" in stock", {"in_stock": "true"}, "quantity > 0"),
        (" with a search word", {"q": "rare"}, "words(name) @> '{rare}'"),
    ],
    "orders": [
        ("", {}, "true"),
        (" of a customer", {"customer_id": "7"}, "customer_id = 7"),
        (" by status", {"status": "completed"}, "status = 'completed'"),
    ],
}
"""For each list: its filters as name, query parameters, and SQL condition."""

LETTERS = "a b c d e f g h i j k l m n o p q r s t u v w x y z"

SEARCHES: tuple[tuple[dict[str, str], int], ...] = (
    *(({"q": q, "sort": "-created_at"}, 1) for q in ("rare", "many", "first", "last", "first last", "common")),
    *(({"q": q, "sort": "-price"}, 1) for q in ("many", "first")),
    *(({"q": q, "sort": "name"}, 1) for q in ("last", "common first")),
    *(({"q": f"{LETTERS} common{more}", "sort": "price"}, 1) for more in ("", " last")),
    ({"q": "common", "sort": "-created_at"}, 50),
    ({"q": "last", "in_stock": "true", "sort": "price"}, 1),
    ({"min_price": "10.00", "in_stock": "false", "sort": "name"}, 1),
    ({"in_stock": "true", "min_price": "0.10", "max_quantity": "12", "sort": "-name"}, 1),
    ({"sort": "quantity"}, 1),
)
"""Requests that read as much as they can, and their pages. All names have the letters as words. large_catalog.py says
which products have which other words."""

SEARCHED_PRODUCTS = 10_000
"""The fewest products that the searches need."""


@dataclass(frozen=True)
class Page:
    """A page of a list. request: the parameter of the SQL function."""

    name: str
    table: str
    event: dict[str, Any]
    request: dict[str, Any] = field(default_factory=dict)

    @property
    def work(self) -> Work:
        function = "products" if self.table == "products" else "orders"
        return Work(STOREFRONT.handlers[function], [self.event], (200,))


def pages(owner: Connection) -> Iterator[Page]:
    """Generate the measured pages of a database."""
    for table, filters in FILTERS.items():
        for filter_name, parameters, condition in filters:
            [[rows]] = owner.run(f"SELECT count(*) FROM {table} WHERE {condition}")
            yield _page(table, f"page 1{filter_name}", parameters, {"page": 1})
            if rows >= DEEP_PAGE * PAGE_SIZE and not filter_name:
                yield _page(table, f"page {DEEP_PAGE:,}", parameters, {"page": DEEP_PAGE})
            places = {"first": PAGE_SIZE - 1, "middle": rows // 2, "last": rows - PAGE_SIZE - 1}
            for place, offset in places.items():
                if offset >= 0 and (place == "middle" or not filter_name):
                    position = _position(owner, table, condition, offset)
                    yield _page(table, f"cursor, {place}{filter_name}", parameters, {"after": position})


def measure_searches(bench: Bench) -> dict[str, Any]:
    """Measure searches in a catalog whose names make them slow."""
    products = max(SEARCHED_PRODUCTS, *bench.sizes.rows)
    url = bench.database("searches", 0)
    with closing(db.connect(url, response_timeout=600)) as owner:
        owner.run("SET statement_timeout = 0")
        fill_catalog(owner, products)
        found = [
            _page("products", urlencode({**query, "page": page}), query, {"page": page}) for query, page in SEARCHES
        ]
        counted = {page.name: blocks(owner, page) for page in found}
    timings: dict[str, list[Timing]] = {}
    with start_workers(STOREFRONT, 1, bench.environment(url)) as workers:
        for _ in range(bench.sizes.rounds):
            for page in found:
                work = page.work._replace(events=[page.event] * bench.sizes.calls, repeat=False)
                timings.setdefault(page.name, []).append(run(workers, [work]))
    pages = {name: {**summary(measured), "blocks": counted[name]} for name, measured in timings.items()}
    return {"products": products, "pages": pages}


def _position(owner: Connection, table: str, condition: str, offset: int) -> list[str]:
    [[created_at, id_]] = owner.run(
        f"SELECT to_json(created_at) #>> '{{}}', id::text FROM {table} WHERE {condition}"
        f" ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET {offset}"
    )
    return [created_at, id_]


def _page(table: str, name: str, parameters: dict[str, str], place: dict[str, Any]) -> Page:
    path = f"/api/{table}"
    model = ProductListParameters if table == "products" else OrderListParameters
    filters = model.model_validate(parameters).filters()
    if "after" in place:
        # The same as in storefront/lists/response.py.
        bound_to = json.dumps([path, filters])
        position = {"cursor": cursor.encode(LOCAL_CURSOR_KEY.encode(), bound_to, place["after"])}
    else:
        position = {"page": str(place["page"])}
    query = urlencode({**parameters, "page_size": str(PAGE_SIZE), **position})
    request = {"page": 1, "page_size": PAGE_SIZE, **filters, **place}
    return Page(name, table, event("GET", f"{path}?{query}"), request)


def measure(bench: Bench) -> dict[str, Any]:
    """Measure the time and the blocks of each page, for each number of rows."""
    urls = {rows: bench.database(f"lists_{rows}", rows) for rows in bench.sizes.rows}
    timings: dict[tuple[str, str, int], list[Timing]] = {}
    results: dict[str, Any] = {}
    with ExitStack() as resources:
        running, pages_of = {}, {}
        for rows, url in urls.items():
            running[rows] = resources.enter_context(start_workers(STOREFRONT, 1, bench.environment(url)))
            with closing(db.connect(url, response_timeout=600)) as owner:
                owner.run("SET statement_timeout = 0")
                pages_of[rows] = list(pages(owner))
                for page in pages_of[rows]:
                    entry = results.setdefault(page.table, {}).setdefault(page.name, {}).setdefault(str(rows), {})
                    entry["blocks"] = blocks(owner, page)
            for page in pages_of[rows]:
                run(running[rows], [page.work._replace(repeat=False)])
        for _ in range(bench.sizes.rounds):
            for rows in urls:
                for page in pages_of[rows]:
                    work = page.work._replace(events=[page.event] * bench.sizes.calls, repeat=False)
                    timings.setdefault((page.table, page.name, rows), []).append(run(running[rows], [work]))
    for (table, name, rows), measured in timings.items():
        results[table][name][str(rows)].update(summary(measured))
    return results


def blocks(owner: Connection, page: Page) -> int:
    """Count the blocks of 8 KiB that PostgreSQL reads for a page, in all statements of its function."""
    call = f"SELECT * FROM list_{page.table}('{json.dumps(page.request)}')"
    # Twice, because the first execution also reads the catalog.
    for _ in range(2):
        [[plan]] = owner.run(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {call}")
    total = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]
    return int(total["Shared Hit Blocks"] + total["Shared Read Blocks"])
