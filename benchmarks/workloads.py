"""The measured requests, as API Gateway's events."""

import json
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any
from uuid import uuid4

from benchmarks.bench import System
from benchmarks.layer import ACTOR
from benchmarks.workers import Work
from local.signing import LOCAL_SECRETS, sign
from storefront import db
from tests.api_client import api_event

ROWS = 1_000
"""Number of products and of orders in a new database, except for the measurements of lists."""

ITEM_COUNTS = (1, 3, 5)
"""Numbers of line items in the measured orders."""

CLAIMS = {
    "sub": "shop",
    "scope": "catalog:write orders:write orders:read orders:manage orders:all",
    "iss": "https://issuer.example",
    "exp": "1795438800",
}

HEADERS = {
    "accept": "*/*",
    "authorization": "Bearer " + "x" * 600,
    "host": "api.shop.example",
    "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0",
    "x-amzn-trace-id": "Root=1-67891233-abcdef012345678912345678",
    "x-forwarded-for": "203.0.113.7",
    "x-forwarded-port": "443",
    "x-forwarded-proto": "https",
}


def event(method: str, target: str, body: Any = None, headers: dict[str, str] | None = None) -> dict[str, Any]:
    """Create an event with the claims of the shop's token."""
    content = None if body is None else json.dumps(body).encode()
    declared = {} if content is None else {"content-type": "application/json"}
    made = api_event(method, target, content, {**HEADERS, **declared, **(headers or {})})
    made["requestContext"]["authorizer"] = {"jwt": {"claims": CLAIMS, "scopes": None}}
    route = made["routeKey"].partition(" ")[2]
    if "{id}" in route:
        made["pathParameters"] = {"id": made["rawPath"].split("/")[route.split("/").index("{id}")]}
    return made


def product_id(number: int) -> str:
    """Return the ID of a product of fill.sql."""
    return f"a0000000-0000-4000-8000-{number:012}"


def any_order_id(random: Random) -> str:
    return f"b0000000-0000-4000-8000-{random.randint(1, ROWS):012}"


def place_order(body: dict[str, Any]) -> dict[str, Any]:
    return event("POST", "/api/orders", body)


def new_orders(random: Random, number: int, items: int) -> list[dict[str, Any]]:
    """Create request bodies of orders for random products that are in stock."""
    in_stock = [n for n in range(1, ROWS + 1) if n % 10]
    return [
        {
            "customer_id": random.randint(1, 1000),
            "products": [{"product_id": product_id(n), "quantity": 1} for n in random.sample(in_stock, items)],
        }
        for _ in range(number)
    ]


def payments(url: str, number: int) -> list[dict[str, Any]]:
    """Insert new orders, and create a payment event for each."""
    with closing(db.connect(url, response_timeout=120)) as owner:
        rows = owner.run(
            "INSERT INTO orders (customer_id, total_price)"
            " SELECT 1 + n % 1000, 5.00 FROM generate_series(1, :number) n RETURNING id::text",
            number=number,
        )
    return [payment({"order_id": id_, "payment_status": "paid", "event_id": str(uuid4())}) for [id_] in rows or []]


def payment(body: dict[str, str]) -> dict[str, Any]:
    content = json.dumps(body).encode()
    return event(
        "POST", "/api/payment-webhook", body, sign("x_signature", LOCAL_SECRETS["x_signature"], content, "", 0)
    )


@dataclass(frozen=True)
class Workload:
    """A kind of request: the function that handles it, the expected status, and a generator of events.

    statement, requests: the SQL function behind it and a generator of its parameters, for pgbench.
    repeat: whether an event may be sent again.
    """

    function: str
    status: int
    events: Callable[[Random, int], Sequence[Any]]
    statement: str | None = None
    requests: Callable[[Random, int], list[dict[str, Any]]] = lambda _random, _number: []
    repeat: bool = True

    def work(self, system: System, random: Random, number: int) -> Work:
        return Work(system.handlers[self.function], self.events(random, number), (self.status,), self.repeat)


def workloads_on(url: str) -> dict[str, Workload]:
    """Return the measured kinds of requests, for a database with ROWS products and orders."""
    orders = {
        f"place order, {items} item{'s' if items > 1 else ''}": place_orders(partial(new_orders, items=items))
        for items in ITEM_COUNTS
    }
    hot = {"customer_id": 1, "products": [{"product_id": product_id(1), "quantity": 1}]}
    page = {"page": 1, "page_size": 20, "sort": "-created_at"}
    return {
        **orders,
        "place order, hot product": place_orders(lambda _, number: [hot] * number),
        "get order": Workload(
            "orders",
            200,
            lambda random, number: [event("GET", f"/api/orders/{any_order_id(random)}") for _ in range(number)],
            "get_order",
            lambda random, number: [{"id": any_order_id(random)} for _ in range(number)],
        ),
        "list products": Workload(
            "products",
            200,
            lambda _, number: [event("GET", "/api/products?page_size=20")] * number,
            "list_products",
            lambda _, number: [page] * number,
        ),
        "payment webhook": Workload("webhook", 200, lambda _, number: payments(url, number), repeat=False),
    }


def place_orders(bodies: Callable[[Random, int], list[dict[str, Any]]]) -> Workload:
    return Workload(
        "orders",
        201,
        lambda random, number: [place_order(body) for body in bodies(random, number)],
        "place_order",
        lambda random, number: [{**body, **ACTOR} for body in bodies(random, number)],
    )
