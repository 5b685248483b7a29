"""What one caller can try to take from all others, and a calm shop that goes on meanwhile."""

import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from itertools import count, cycle

from tests.api_client import ApiClient, Response, expect, load_function, local_keyring, over_handlers, signed
from tests.handlers.tokens import CUSTOMER_SCOPES, SCOPES
from tests.integration.large_catalog import product_id
from tests.integration.load_clients import meet
from tests.integration.responses import name_of

SHOP_TOKEN = {"sub": "website", "scope": " ".join([*SCOPES, "orders:all"])}

Call = tuple[str, str, bytes | None, Mapping[str, str], Mapping[str, str] | None]
"""Method, path, body, headers, and the claims of the token."""

WEBHOOK = "/api/payment-webhook"
JSON = {"content-type": "application/json"}
LONG_NAME = "x" * 256_000
LARGEST_PROBLEM = 10_000
"""Bytes of a response that refuses a request."""


def calm_shop(number: int, rounds: int) -> list[float]:
    """Sell one product and read the list, ten times a second. Return the seconds of each request."""
    seconds: list[float] = []

    def send(method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Response:
        start = time.perf_counter()
        response = over_handlers(method, path, body, headers, SHOP_TOKEN)
        seconds.append(time.perf_counter() - start)
        return response

    _prepare()
    api = ApiClient(send)
    expect(200, api.get("/api/products"))
    expect(200, api.get("/api/orders"))
    meet()
    seconds.clear()
    for _ in _paced(rounds, per_second=10):
        order = expect(201, api.place_order((product_id(number), 1), customer_id=1_000_000))
        expect(200, api.get("/api/products"))
        assert expect(200, api.pay(order["id"]))["outcome"] == "applied"
        assert expect(200, api.get(f"/api/orders/{order['id']}"))["payment_status"] == "paid"
    return seconds


def attack(calls: Callable[[], Iterator[Call]], rounds: int, per_second: int) -> Counter[str]:
    """Send requests at a steady rate. Return how often each outcome, problem or status came."""
    _prepare()
    meet()
    names = Counter[str]()
    for _, call in zip(_paced(rounds * per_second // 10, per_second), calls(), strict=False):
        response = over_handlers(*call)
        assert response.status < 500, response
        assert response.status < 400 or len(response.text) < LARGEST_PROBLEM, response
        # The compressed files are no JSON.
        names["200" if "content-encoding" in response.headers else name_of(response)] += 1
    return names


def reserve(customer_id: int) -> Iterator[Call]:
    """One customer orders as much as possible: 100 line items, 50 with 2 units, and one with 20."""
    line_items = [(range(100, 200), 1000), (range(100, 150), 2), (range(100, 101), 20), (range(100, 101), 1000)]
    for numbers, units in cycle(line_items):
        products = [{"product_id": product_id(number), "quantity": units} for number in numbers]
        yield _as_customer("POST", "/api/orders", {"customer_id": customer_id, "products": products}, customer_id)


def act_with_a_misspelled_claim() -> Iterator[Call]:
    claims = {"sub": "customer-9", "custom:customer_id": "9", "scope": " ".join(CUSTOMER_SCOPES)}
    while True:
        yield "GET", "/api/orders?page_size=100", None, {}, claims


def forge() -> Iterator[Call]:
    for number in count():
        body = json.dumps({"order_id": product_id(number), "payment_status": "paid"}).encode()
        yield "POST", WEBHOOK, body, {**JSON, **signed(body), "x-signature": "0" * 64}, None


def repeat(order_id: str) -> Iterator[Call]:
    """A captured event, again and again."""
    body = json.dumps({"order_id": order_id, "payment_status": "failed"}).encode()
    while True:
        yield "POST", WEBHOOK, body, {**JSON, **signed(body)}, None


def report_what_nobody_needs() -> Iterator[Call]:
    """Large events of a type that is not handled."""
    for number in count():
        event = {"id": f"evt_{number}", "object": "event", "type": "customer.updated", "data": {"text": "x" * 200_000}}
        body = json.dumps(event).encode()
        yield "POST", WEBHOOK, body, {**JSON, **signed(body, "stripe")}, None


def read_the_documentation() -> Iterator[Call]:
    for path in cycle(load_function("docs").FILES):
        yield "GET", path, None, {"accept-encoding": "gzip"}, None


def search() -> Iterator[Call]:
    """The searches that read the most, and pages that are far away."""
    queries = ("q=common", "q=first&sort=-created_at", "q=last&sort=price", "q=common&page=50", "q=first&page=52")
    filters = ("max_price=500.00&sort=name", "in_stock=true&max_quantity=12&sort=-name", "page=1000&page_size=100")
    for query in cycle((*queries, *filters)):
        yield "GET", f"/api/products?{query}", None, {}, None


def send_long_names() -> Iterator[Call]:
    body = {"customer_id": 9, "products": [{"product_id": product_id(1), "quantity": 1}], LONG_NAME: 1}
    while True:
        yield _as_customer("POST", "/api/orders", body, 9)


def try_unknown_paths() -> Iterator[Call]:
    for number in count():
        yield "GET", f"/wp-admin/{number}", None, {}, None


def _as_customer(method: str, path: str, body: object, customer_id: int) -> Call:
    claims = {"sub": f"customer-{customer_id}", "customer_id": str(customer_id), "scope": " ".join(CUSTOMER_SCOPES)}
    return method, path, json.dumps(body).encode(), JSON, claims


def _prepare() -> None:
    os.environ["AUTH"] = "on"
    vars(load_function("webhook"))["keyring"] = local_keyring()


def _paced(times: int, per_second: int) -> Iterator[int]:
    """Count, at a steady rate. Who is late does not catch up."""
    for number in range(times):
        next_start = time.perf_counter() + 1 / per_second
        yield number
        time.sleep(max(0.0, next_start - time.perf_counter()))
