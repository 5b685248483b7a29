"""The payment routes' calls."""

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
    "duplicate": "Payment event already taken into account",
    "ignored": "Payment event ignored: it changes nothing",
    "needs_refund": "The order was canceled: the payment needs a refund",
    "needs_review": "The payment event does not fit the order: it needs a review",
}


class PaymentEventNotFound(Problem):
    """The payment event does not exist."""

    status, kind, title = 404, "payment-event-not-found", "Payment event not found"

    def __init__(self, inbox_id: str) -> None:
        super().__init__(f"Payment event {inbox_id} not found")


def record(event: PaymentEvent, authentic: AuthenticEvent, body: bytes, actor: Actor) -> dict[str, Any]:
    """Keep an event and apply it once; the answer, which says what it did.

    Raises OrderNotFound: the order may not have been committed yet, so the processor should try again.
    """
    event_id = event.event_id or authentic.webhook_id or hashlib.sha256(body).hexdigest()
    sent = {**event._asdict(), "event_id": event_id, "scheme": authentic.scheme, "body": body.decode()}
    return _answer("record_payment_event", sent, actor)


def replay(inbox_id: str, actor: Actor) -> dict[str, Any]:
    """Run a kept event through again; the answer. Raises PaymentEventNotFound or OrderNotFound."""
    return _answer("replay_payment_event", {"id": inbox_id}, actor)


def list_page(request: dict[str, Any]) -> str:
    return db.call("list_payment_events", json.dumps(request))[1]


def list_reconciliation(request: dict[str, Any]) -> str:
    return db.call("list_reconciliation", json.dumps(request))[1]


def _answer(function: str, request: dict[str, Any], actor: Actor) -> dict[str, Any]:
    # Decimals and times as text, which PostgreSQL reads to the last digit.
    text = json.dumps({**request, "shop_currency": settings.currency(), **actor}, default=str)
    outcome, body = db.call(function, text)
    if outcome == "unknown_payment_event":
        raise PaymentEventNotFound(request["id"])
    response = json.loads(body)
    if outcome == "unknown_order":
        raise OrderNotFound(response["order_id"])
    return {"message": MESSAGES[outcome], **response, "outcome": outcome}
