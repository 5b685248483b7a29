"""The main use cases over HTTP, on the local stack, with the rows checked in PostgreSQL."""

import json
import socket
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import stripe
from pg8000.native import Connection
from standardwebhooks import Webhook

from local.signing import LOCAL_SECRETS, sign
from storefront.audit import violations
from tests.api_client import ROOT, ApiClient, Response, expect, over_http
from tests.local.stack import Stack
from tests.stripe_events import stripe_event


@pytest.fixture
def api(stack: Stack) -> ApiClient:
    return ApiClient(over_http(stack.url))


def test_a_product_is_created_ordered_paid_and_completed(api: ApiClient, rows: Connection) -> None:
    tea = api.create_product(name="Tea", price="4.50", quantity=3)
    order = api.order((tea["id"], 2), customer_id=7)
    assert order["total_price"] == "9.00"
    assert api.stock(tea["id"]) == 1

    assert expect(200, api.pay(order["id"]))["outcome"] == "applied"
    assert expect(200, api.pay(order["id"]))["outcome"] == "duplicate"
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["payment_status"] == "paid"
    assert expect(200, api.change_status(order["id"], "completed"))["status"] == "completed"

    another = api.order((tea["id"], 1))
    assert api.place_order((tea["id"], 1)).problem() == (400, "insufficient-stock")
    assert expect(200, api.change_status(another["id"], "canceled"))["status"] == "canceled"
    assert api.change_status(another["id"], "canceled").problem() == (400, "invalid-transition")
    assert api.stock(tea["id"]) == 1

    found = rows.run("SELECT status::text, payment_status::text FROM orders WHERE id = :id", id=order["id"])
    assert found == [["completed", "paid"]]
    assert rows.run("SELECT quantity FROM products WHERE id = :id", id=tea["id"]) == [[1]]
    sold = "SELECT sum(i.quantity) FROM order_items i JOIN orders o ON o.id = i.order_id AND o.status <> 'canceled'"
    assert rows.run(f"{sold} WHERE i.product_id = :id", id=tea["id"]) == [[2]]


def test_an_order_with_shipping_and_tax_is_paid_through_stripe_and_its_personal_data_erased(
    api: ApiClient, rows: Connection
) -> None:
    tea = api.create_product(price="20.00", sku="TEA-100", metadata={"shelf": "A3"})
    address = {"name": "Ada Byron", "line1": "12 Harbour Street", "city": "Bristol", "country": "GB"}
    charges = [
        {"kind": "shipping", "label": "Parcel", "amount": "4.90"},
        {"kind": "tax", "label": "VAT 20 %", "amount": "8.98"},
    ]
    personal = {"email": "ada@shop.example", "shipping_address": address, "note": "Ring twice.", "metadata": {"a": "b"}}
    order = api.order((tea["id"], 2), customer_id=4711, reference="S-1", charges=charges, **personal)
    assert (order["subtotal"], order["total_price"]) == ("40.00", "53.88")
    assert [one["id"] for one in api.items("/api/orders", number=order["number"])] == [order["id"]]
    expect(201, api.call("POST", f"/api/orders/{order['id']}/notes", {"text": "Ada called."}))

    metadata = {"order_id": order["id"]}
    event = stripe_event(id=f"pi_{order['id']}", amount=5388, amount_received=5388, metadata=metadata)
    body = json.dumps({**event, "id": "evt_story"})
    header = stripe.WebhookSignature.generate_signature_header(body, LOCAL_SECRETS["stripe"][0])
    for outcome in ("applied", "duplicate"):
        response = api.call("POST", "/api/payment-webhook", body.encode(), {"Stripe-Signature": header})
        assert expect(200, response)["outcome"] == outcome
    assert api.payment_status(order["id"]) == "paid"

    for _ in range(2):
        assert expect(200, api.call("DELETE", "/api/customers/4711/personal-data"))["orders"] == 1
    erased = expect(200, api.get(f"/api/orders/{order['id']}"))
    assert {name: erased[name] for name in personal} == {**dict.fromkeys(personal), "metadata": {}}
    assert (erased["reference"], erased["charges"], erased["total_price"]) == ("S-1", charges, "53.88")
    stored = "SELECT row_to_json(t)::text FROM {} t"
    tables = ("orders", "order_events", "payment_events", "idempotency_keys")
    texts = [text for table in tables for [text] in rows.run(stored.format(table))]
    assert not [text for text in texts if "Byron" in text or "Ada called" in text or "ada@shop" in text]
    assert violations(rows) == []


def test_forty_concurrent_orders_get_exactly_the_25_units(api: ApiClient, rows: Connection) -> None:
    tea = api.create_product(quantity=25)
    with ThreadPoolExecutor(40) as pool:
        responses = list(pool.map(lambda _: api.place_order((tea["id"], 1)), range(40)))
    assert Counter(response.status for response in responses) == {201: 25, 400: 15}
    assert rows.run("SELECT quantity FROM products WHERE id = :id", id=tea["id"]) == [[0]]
    assert rows.run("SELECT sum(quantity) FROM order_items WHERE product_id = :id", id=tea["id"]) == [[25]]


def test_a_forged_event_changes_nothing(api: ApiClient) -> None:
    order = api.order((api.create_product()["id"], 1))
    body = {"order_id": order["id"], "payment_status": "paid"}
    forged = sign("x_signature", ["guessed"], json.dumps(body).encode(), "", 0)
    assert api.call("POST", "/api/payment-webhook", body, forged).problem() == (401, "unauthenticated")
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["payment_status"] == "unpaid"


def test_an_event_signed_by_stripe_s_library_is_accepted(api: ApiClient) -> None:
    order = api.order((api.create_product(price="24")["id"], 1))
    event = json.loads((ROOT / "tests" / "fixtures" / "stripe" / "payment_intent.succeeded.json").read_text())
    event["data"]["object"] |= {"id": f"pi_{order['id']}", "metadata": {"order_id": order["id"]}}
    body = json.dumps(event)
    header = stripe.WebhookSignature.generate_signature_header(body, LOCAL_SECRETS["stripe"][0])
    for outcome in ("applied", "duplicate"):
        response = api.call("POST", "/api/payment-webhook", body.encode(), {"Stripe-Signature": header})
        assert (expect(200, response)["outcome"], response.json["event_id"]) == (outcome, event["id"])
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["payment_status"] == "paid"


def test_an_event_signed_by_the_library_of_standard_webhooks_is_accepted(api: ApiClient) -> None:
    order = api.order((api.create_product()["id"], 1))
    body = json.dumps({"type": "payment.paid", "data": {"order_id": order["id"], "amount": "4.50", "currency": "USD"}})
    now = datetime.now(UTC)
    headers = {
        "webhook-id": f"msg_{order['id']}",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(LOCAL_SECRETS["standard_webhooks"][0]).sign(f"msg_{order['id']}", now, body),
    }
    for outcome in ("applied", "duplicate"):
        response = api.call("POST", "/api/payment-webhook", body.encode(), headers)
        assert (expect(200, response)["outcome"], response.json["event_id"]) == (outcome, headers["webhook-id"])
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["payment_status"] == "paid"


@pytest.mark.parametrize("path", ["/api", "/nothing", "/api/products/", "/api//products", "/api/products/a/b", "/%00"])
def test_an_unknown_path_returns_404(api: ApiClient, path: str) -> None:
    assert api.get(path).problem() == (404, "route-not-found")


def test_a_wrong_method_returns_405_and_the_allowed_methods(api: ApiClient) -> None:
    response = api.call("PATCH", "/api/products", {})
    assert response.problem() == (405, "method-not-allowed")
    assert response.headers["allow"] == "GET, HEAD, POST"


@pytest.mark.parametrize("path", ["/", "/docs", "/openapi.json", "/api/products", "/api/orders", "/api/nothing"])
def test_head_returns_the_headers_of_get(api: ApiClient, path: str) -> None:
    got, head = api.get(path), api.call("HEAD", path)
    assert (head.status, head.text) == (got.status, "")
    assert {**head.headers, "date": ""} == {**got.headers, "date": ""}


@pytest.mark.parametrize(
    "body", [b"{", b"\xff\xfe", b"[" * 100_000], ids=["incomplete", "not UTF-8", "nested too deeply"]
)
def test_a_body_that_is_not_json_returns_400(api: ApiClient, body: bytes) -> None:
    assert api.call("POST", "/api/products", body).problem() == (400, "malformed-body")


def test_a_body_that_is_too_large_returns_413(api: ApiClient) -> None:
    assert api.call("POST", "/api/products", b" " * (256 * 1024 + 1)).problem() == (413, "body-too-large")


def test_two_signatures_are_refused(api: ApiClient, stack: Stack) -> None:
    address = urlsplit(stack.url)
    body = b'{"order_id": "b0000000-0000-4000-8000-000000000001", "payment_status": "paid"}'
    with socket.create_connection((address.hostname, address.port), 10) as client:
        client.sendall(
            b"POST /api/payment-webhook HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n"
            b"Content-Type: application/json\r\nX-Signature: 0\r\nX-Signature: 0\r\n"
            b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
        )
        response = b"".join(iter(lambda: client.recv(65536), b"")).decode()
    assert response.startswith("HTTP/1.1 401")
    assert "Invalid signature" in response
    expect(200, api.get("/api/products"))


def test_a_response_reaches_the_client_unchanged(api: ApiClient) -> None:
    tea = api.create_product(name="Grüner Tee 🍵", description='"quoted"\\')
    response: Response = api.get(f"/api/products/{tea['id']}")
    assert response.headers["content-type"] == "application/json"
    assert (response.json["name"], response.json["description"]) == ("Grüner Tee 🍵", '"quoted"\\')


def test_the_terminal_has_one_line_per_request(api: ApiClient, stack: Stack) -> None:
    path = "/api/orders/00000000-0000-4000-8000-00000000ca11"
    assert api.get(path).status == 404
    stack.wait_for(f"GET {path} 404 ")
    order = api.order((api.create_product()["id"], 1))
    expect(200, api.pay(order["id"]))
    stack.wait_for("POST /api/payment-webhook 200 ")
    assert any(line.endswith(" ms paid → applied\n") for line in stack.output)
    assert len([line for line in stack.output if path in line]) == 1
