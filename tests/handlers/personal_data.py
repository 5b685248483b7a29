"""Requests that send and erase personal data."""

from typing import Any

from tests.api_client import ApiClient, Response, expect
from tests.handlers.conftest import stripe_event_for
from tests.stripe_events import stripe_event

ADDRESS = {
    "name": "Ada Example",
    "line1": "1 Example Street",
    "city": "Berlin",
    "postal_code": "10115",
    "country": "DE",
}
CONTACT = {
    "email": "ada@example.com",
    "shipping_address": ADDRESS,
    "billing_address": ADDRESS,
    "note": "Ring twice.",
    "metadata": {"gift": "for Bob"},
}


def place(api: ApiClient, tea: str, customer_id: int = 7, key: str | None = None, **fields: Any) -> Response:
    body = {"customer_id": customer_id, "products": [{"product_id": tea, "quantity": 1}], **CONTACT, **fields}
    return api.call("POST", "/api/orders", body, {"idempotency-key": key} if key else {})


def erase(api: ApiClient, customer_id: int = 7) -> dict[str, Any]:
    erased: dict[str, Any] = expect(200, api.call("DELETE", f"/api/customers/{customer_id}/personal-data"))
    return erased


def get(api: ApiClient, order: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = expect(200, api.get(f"/api/orders/{order['id']}"))
    return found


def add_note(api: ApiClient, order_id: str, text: Any, **headers: str) -> Response:
    return api.call("POST", f"/api/orders/{order_id}/notes", {"text": text}, headers)


def stripe_pair(order: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two events about one payment. Only the session names the order."""
    session = stripe_event_for(order, "checkout.session.completed", payment_intent="pi_1")
    session["id"] = "evt_session"
    session["data"]["object"]["amount_total"] = 450
    intent = stripe_event("payment_intent.succeeded", amount_received=450, metadata={})
    intent["id"], intent["data"]["object"]["id"] = "evt_intent", "pi_1"
    intent["data"]["object"]["receipt_email"] = "ada@example.com"
    return session, intent
