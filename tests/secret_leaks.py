"""Marker words for every place where a client can send text. No log may contain one."""

import json
from collections.abc import Iterator

from local.signing import sign
from tests.api_client import UNKNOWN, ApiClient

CANARY = "canary"
"""Is in each secret, token, signature, body, query and header that is sent."""

SECRET = f"local-only-{CANARY}-secret"

CLIENT_HEADERS = {
    "authorization": f"Bearer {CANARY}.{CANARY}.{CANARY}",
    "cookie": f"session={CANARY}",
    "user-agent": CANARY,
    "x-api-key": CANARY,
}


def events(order_id: str) -> Iterator[tuple[int, bytes]]:
    """Signed payment events, each with the status code that it gets."""
    customer = {"name": CANARY, "card": {"number": CANARY}, CANARY: CANARY}
    paid = {"order_id": order_id, "payment_status": "paid", "customer": customer}
    yield 200, json.dumps(paid).encode()
    yield 200, json.dumps({**paid, "amount": "0.01", "event_id": "evt"}).encode()
    yield 404, json.dumps({**paid, "order_id": UNKNOWN}).encode()
    yield 422, json.dumps({**paid, "payment_status": CANARY, "currency": CANARY, "amount": CANARY}).encode()
    yield 400, f'{{"order_id": "{CANARY}'.encode()


def send_markers(api: ApiClient) -> list[str]:
    """Send all markers, and return every text that no log may contain. The webhook's secret must be SECRET."""
    product = api.create_product(name=CANARY, description=CANARY, sku=CANARY, metadata={CANARY: CANARY})
    key = {"idempotency-key": CANARY, **CLIENT_HEADERS}
    new_order = {"customer_id": 1, "products": [{"product_id": product["id"], "quantity": 1}]}
    order = api.call("POST", "/api/orders", new_order, key)
    assert order.status == 201
    for body, status in (
        ({"name": CANARY, "price": CANARY, CANARY: CANARY}, 422),
        ({"name": CANARY, "price": 1, "quantity": 1, "sku": CANARY.upper()}, 409),
        ({"name": CANARY, "price": 1, "quantity": 1, "metadata": {f"{CANARY} ": CANARY}}, 422),
        ([CANARY], 422),
        (f'{{"name": "{CANARY}"'.encode(), 400),
        (CANARY.encode() + b"\xff", 400),
        (json.dumps(CANARY * 50_000).encode(), 413),
    ):
        assert api.call("POST", "/api/products", body, CLIENT_HEADERS).status == status
    for query in (f"q={CANARY}", f"sku={CANARY}", f"cursor={CANARY}", f"{CANARY}={CANARY}", f"sort={CANARY}"):
        assert api.call("GET", f"/api/products?{query}", None, CLIENT_HEADERS).status in (200, 400, 422)
    reason = {"delta": -1, "reason": CANARY}
    assert api.call("POST", f"/api/products/{product['id']}/stock-adjustments", reason, CLIENT_HEADERS).status == 201
    signatures = []
    for status, body in events(order.json["id"]):
        headers = sign("x_signature", [SECRET], body, "", 0)
        signatures.append(headers["x-signature"])
        assert api.call("POST", "/api/payment-webhook", body, {**CLIENT_HEADERS, **headers}).status == status
    for forged in ({"x-signature": CANARY}, {"stripe-signature": f"t=1,v1={CANARY}"}, {"x-signature": "0" * 64}):
        assert api.call("POST", "/api/payment-webhook", {CANARY: CANARY}, {**CLIENT_HEADERS, **forged}).status == 401
    return [CANARY, SECRET, *signatures]
