"""The requests that are measured, as the events that API Gateway makes of them."""

import json
from collections.abc import Sequence
from contextlib import closing
from random import Random
from typing import Any
from uuid import uuid4

from local.signing import LOCAL_SECRETS, sign
from storefront import db
from tests.shop import api_event

LINES = (1, 3, 5)
"""Lines of the orders that are placed."""

CLAIMS = {
    "sub": "shop",
    "scope": "catalog:write orders:write orders:read orders:manage",
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
    """An event with the claims of the shop's own token."""
    content = None if body is None else json.dumps(body).encode()
    declared = {} if content is None else {"content-type": "application/json"}
    made = api_event(method, target, content, {**HEADERS, **declared, **(headers or {})})
    made["requestContext"]["authorizer"] = {"jwt": {"claims": CLAIMS, "scopes": None}}
    route = made["routeKey"].partition(" ")[2]
    if "{id}" in route:
        made["pathParameters"] = {"id": made["rawPath"].split("/")[route.split("/").index("{id}")]}
    return made


def product_id(number: int) -> str:
    """The id of one that fill.sql made."""
    return f"a0000000-0000-4000-8000-{number:012}"


def order_id(number: int) -> str:
    return f"b0000000-0000-4000-8000-{number:012}"


def new_orders(random: Random, number: int, lines: int, products: int) -> list[dict[str, Any]]:
    """Bodies of orders of different products, all of which are in stock."""
    in_stock = [n for n in range(1, products + 1) if n % 10]
    return [
        {
            "customer_id": random.randint(1, 1000),
            "products": [{"product_id": product_id(n), "quantity": 1} for n in random.sample(in_stock, lines)],
        }
        for _ in range(number)
    ]


def hot_orders(number: int) -> list[dict[str, Any]]:
    """Bodies of orders that all want the same product."""
    return [{"customer_id": 1, "products": [{"product_id": product_id(1), "quantity": 1}]}] * number


def place(bodies: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [event("POST", "/api/orders", body) for body in bodies]


def get(random: Random, number: int, orders: int) -> list[dict[str, Any]]:
    return [event("GET", f"/api/orders/{order_id(random.randint(1, orders))}") for _ in range(number)]


def list_products() -> list[dict[str, Any]]:
    return [event("GET", "/api/products?page_size=20")]


def payments(url: str, number: int) -> list[dict[str, Any]]:
    """A payment for each of so many new orders, reported once."""
    with closing(db.connect(url, answer_timeout=120)) as owner:
        rows = owner.run(
            "INSERT INTO orders (customer_id, total_price)"
            " SELECT 1 + n % 1000, 5 FROM generate_series(1, :number) n RETURNING id::text",
            number=number,
        )
    return [payment({"order_id": id_, "payment_status": "paid", "event_id": str(uuid4())}) for [id_] in rows or []]


def payment(body: dict[str, str]) -> dict[str, Any]:
    content = json.dumps(body).encode()
    return event(
        "POST", "/api/payment-webhook", body, sign("x_signature", LOCAL_SECRETS["x_signature"], content, "", 0)
    )
