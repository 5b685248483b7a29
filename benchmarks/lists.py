"""What a page of a list costs, by how many rows there are and where it is."""

import json
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from pg8000.native import Connection

from benchmarks.bench import STOREFRONT, Bench
from benchmarks.workers import Timing, Work, run, summary, workers
from benchmarks.workloads import event
from local.settings import LOCAL_CURSOR_KEY
from storefront import db
from storefront.lists import cursor
from storefront.orders.models import OrderListParameters
from storefront.products.models import ProductListParameters

PAGE_SIZE = 20
DEEP_PAGE = 1_000

FILTERS: dict[str, list[tuple[str, dict[str, str], str]]] = {
    "products": [
        ("", {}, "true"),
        (" in stock", {"in_stock": "true"}, "quantity > 0"),
        (" with a word", {"q": "rare"}, "words(name) @> '{rare}'"),
    ],
    "orders": [
        ("", {}, "true"),
        (" of a customer", {"customer_id": "7"}, "customer_id = 7"),
        (" by status", {"status": "completed"}, "status = 'completed'"),
    ],
}
"""For each list: what a filter is called here, its parameters, and the condition that they stand for."""


@dataclass(frozen=True)
class Page:
    """A page of a list: its name here, the event that asks for it, and what the SQL function is asked."""

    name: str
    relation: str
    event: dict[str, Any]
    request: dict[str, Any] = field(default_factory=dict)

    @property
    def work(self) -> Work:
        function = "products" if self.relation == "products" else "orders"
        return Work(STOREFRONT.handlers[function], [self.event], (200,))


def pages(owner: Connection) -> Iterator[Page]:
    """The pages that are measured in a database that fill.sql filled."""
    for relation, filters in FILTERS.items():
        for called, parameters, condition in filters:
            [[rows]] = owner.run(f"SELECT count(*) FROM {relation} WHERE {condition}")
            yield _page(relation, f"page 1{called}", parameters, {"page": 1})
            if rows >= DEEP_PAGE * PAGE_SIZE and not called:
                yield _page(relation, f"page {DEEP_PAGE:,}", parameters, {"page": DEEP_PAGE})
            places = {"first": PAGE_SIZE - 1, "middle": rows // 2, "last": rows - PAGE_SIZE - 1}
            for place, offset in places.items():
                if offset >= 0 and (place == "middle" or not called):
                    position = _position(owner, relation, condition, offset)
                    yield _page(relation, f"cursor, {place}{called}", parameters, {"after": position})


def _position(owner: Connection, relation: str, condition: str, offset: int) -> list[str]:
    [[created_at, id_]] = owner.run(
        f"SELECT to_json(created_at) #>> '{{}}', id::text FROM {relation} WHERE {condition}"
        f" ORDER BY created_at DESC, id DESC LIMIT 1 OFFSET {offset}"
    )
    return [created_at, id_]


def _page(relation: str, name: str, parameters: dict[str, str], place: dict[str, Any]) -> Page:
    path = f"/api/{relation}"
    model = ProductListParameters if relation == "products" else OrderListParameters
    filters = model.model_validate(parameters).filters()
    if "after" in place:
        # As storefront/lists/response.py makes them.
        bound_to = json.dumps([path, filters])
        goes_on = {"cursor": cursor.encode(LOCAL_CURSOR_KEY.encode(), bound_to, place["after"])}
    else:
        goes_on = {"page": str(place["page"])}
    query = urlencode({**parameters, "page_size": str(PAGE_SIZE), **goes_on})
    request = {"page": 1, "page_size": PAGE_SIZE, **filters, **place}
    return Page(name, relation, event("GET", f"{path}?{query}"), request)


def measure(bench: Bench, urls: dict[int, str]) -> dict[str, Any]:
    """The time of each page, in milliseconds, by the list, the page and the number of rows; and the blocks it reads."""
    timings: dict[tuple[str, str, int], list[Timing]] = {}
    found: dict[str, Any] = {}
    with ExitStack() as resources:
        crews, known = {}, {}
        for rows, url in urls.items():
            crews[rows] = resources.enter_context(workers(STOREFRONT, 1, bench.environment(url)))
            with closing(db.connect(url, response_timeout=600)) as owner:
                owner.run("SET statement_timeout = 0")
                known[rows] = list(pages(owner))
                for page in known[rows]:
                    entry = found.setdefault(page.relation, {}).setdefault(page.name, {}).setdefault(str(rows), {})
                    entry["blocks"] = blocks(owner, page)
            for page in known[rows]:
                run(crews[rows], [page.work._replace(repeat=False)])
        for _ in range(bench.sizes.rounds):
            for rows in urls:
                for page in known[rows]:
                    work = page.work._replace(events=[page.event] * bench.sizes.calls, repeat=False)
                    timings.setdefault((page.relation, page.name, rows), []).append(run(crews[rows], [work]))
    for (relation, name, rows), measured in timings.items():
        found[relation][name][str(rows)].update(summary(measured))
    return found


def blocks(owner: Connection, page: Page) -> int:
    """Blocks of 8 KiB that PostgreSQL looks at for a page, in all its statements; from the second time on."""
    # The names are this module's own, and the request is a literal that it made.
    call = f"SELECT * FROM list_{page.relation}('{json.dumps(page.request)}')"
    for _ in range(2):
        [[plan]] = owner.run(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {call}")
    told = (plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"]
    return int(told["Shared Hit Blocks"] + told["Shared Read Blocks"])
