"""Requests whose personal data contains a word that nothing else contains."""

from typing import Any

from tests.api_client import ApiClient, Response, over_handlers

CANARY = "canary"
EMAIL = f"{CANARY}@example.com"
ADDRESS = {"name": CANARY, "line1": CANARY, "city": CANARY, "country": "DE"}
CONTACT = {
    "email": EMAIL,
    "shipping_address": ADDRESS,
    "billing_address": ADDRESS,
    "note": CANARY,
    "metadata": {"gift": CANARY},
}


class Shop:
    """Sends requests with personal data, and keeps the problems."""

    def __init__(self) -> None:
        self.api = ApiClient(over_handlers)
        self.tea = self.api.create_product(quantity=100)["id"]
        self.problems: list[Response] = []

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Response:
        response = self.api.call(method, path, body, headers)
        if response.status >= 400:
            self.problems.append(response)
        return response

    def place(self, key: str = "", **fields: Any) -> Response:
        body = {"customer_id": 7, "products": [{"product_id": self.tea, "quantity": 1}], **CONTACT, **fields}
        return self.call("POST", "/api/orders", body, **({"idempotency-key": key} if key else {}))

    def deliver(self, **fields: Any) -> None:
        response = self.api.deliver({"customer": {"name": CANARY, "email": EMAIL}, **fields})
        if response.status >= 400:
            self.problems.append(response)

    def send_everything(self, order_id: str) -> None:
        """Each request that takes or erases personal data."""
        self.place()
        self.place(key="k1")
        self.call("POST", f"/api/orders/{order_id}/notes", {"text": CANARY})
        self.call("POST", f"/api/orders/{order_id}/notes", {"text": CANARY}, **{"idempotency-key": "k2"})
        self.deliver(order_id=order_id, payment_status="failed", event_id="evt_1")
        self.deliver(order_id=order_id, payment_status=CANARY, event_id="evt_2")
        self.deliver(order_id=order_id, payment_status="paid", event_id="evt_3", payment_reference="pi_1")
        for key in ({}, {"idempotency-key": "k3"}):
            self.call("POST", f"/api/orders/{order_id}/refunds", {"amount": "1", "reason": CANARY}, **key)
        event = {"payment_reference": "pi_1", "processor_refund_id": "re_1", "amount": "1", "event_id": "evt_4"}
        self.deliver(type="refund.failed", **event)
        entries = self.api.get("/api/reconciliation").json.get("items", [])
        for number, entry in enumerate(entries or [{"kind": "refund_failed", "id": order_id}]):
            path = f"/api/reconciliation/{entry['kind']}/{entry['id']}/acknowledgement"
            self.call("POST", path, {"note": CANARY}, **{"idempotency-key": f"k4-{number}"} if number % 2 else {})
        self.call("GET", "/api/reconciliation?acknowledged=true")
        self.call("GET", f"/api/orders/{order_id}/refunds")
        self.call("PUT", f"/api/orders/{order_id}/status", {"status": "completed"})
        for event in self.api.get("/api/payment-events").json.get("items", []):
            self.call("POST", f"/api/payment-events/{event['id']}/replay")
        self.call("GET", f"/api/orders/{order_id}")
        self.call("GET", f"/api/orders/{order_id}/events")
        self.call("DELETE", "/api/customers/7/personal-data")
