"""The database calls of the payment routes."""

import hashlib
import json
from typing import Any

from storefront import db, settings
from storefront.actor import Actor
from storefront.errors import OrderNotFound, Problem
from storefront.payments.keyring import AuthenticEvent
from storefront.payments.models import PaymentEvent

MESSAGES = {
    "applied": "Payment status updated successfully",
    "duplicate": "Payment event already applied",
    "ignored": "Payment event ignored because it changes nothing",
    "needs_refund": "The order is canceled, so the payment needs a refund",
    "needs_review": "The payment event does not match the order, so it needs review",
}


class PaymentEventNotFound(Problem):
    """The payment event does not exist."""

    status, kind, title = 404, "payment-event-not-found", "Payment event not found"

    def __init__(self, inbox_id: str) -> None:
        super().__init__(f"Payment event {inbox_id} not found")


def record(event: PaymentEvent, authentic: AuthenticEvent, body: bytes, actor: Actor) -> dict[str, Any]:
    """Store an event, and apply it once. Return the response.

    Raises OrderNotFound. The order may not be committed yet, so the processor should deliver the event again.
    """
    event_id = event.event_id or authentic.webhook_id or hashlib.sha256(body).hexdigest()
    sent = {**event._asdict(), "event_id": event_id, "scheme": authentic.scheme, "body": body.decode()}
    return _apply("record_payment_event", sent, actor)


def replay(inbox_id: str, actor: Actor) -> dict[str, Any]:
    """Apply a stored event again. Return the response. Raises PaymentEventNotFound or OrderNotFound."""
    return _apply("replay_payment_event", {"id": inbox_id}, actor)


def list_page(request: dict[str, Any]) -> str:
    return db.call("list_payment_events", json.dumps(request))[1]


def list_reconciliation(request: dict[str, Any]) -> str:
    return db.call("list_reconciliation", json.dumps(request))[1]


def _apply(function: str, request: dict[str, Any], actor: Actor) -> dict[str, Any]:
    # Decimals and times become text, so that no digit is lost.
    text = json.dumps({**request, "shop_currency": settings.currency(), **actor}, default=str)
    outcome, body = db.call(function, text)
    if outcome == "unknown_payment_event":
        raise PaymentEventNotFound(request["id"])
    response = json.loads(body)
    if outcome == "unknown_order":
        raise OrderNotFound(response["order_id"])
    return {"message": MESSAGES[outcome], **response, "outcome": outcome}
