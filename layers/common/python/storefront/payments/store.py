"""The database calls of the payment routes."""

import base64
import hashlib
import json
from typing import Any

from storefront import db, settings
from storefront.actor import Actor
from storefront.errors import OrderNotFound, Problem
from storefront.payments.keyring import AuthenticEvent
from storefront.payments.models import PaymentEvent
from storefront.payments.providers import read_event

MESSAGES = {
    "applied": "Payment status updated successfully",
    "duplicate": "Payment event received. It reports nothing new",
    "ignored": "Payment event received. It does not change the payment status",
    "needs_refund": "The payment needs a refund",
    "needs_review": "The payment event does not match the order, so it needs review",
    "unknown_order": "The order does not exist, so the payment event needs review",
    "unreadable": "The payment event cannot be read, so it needs review",
}

REFUND_MESSAGES = {
    **MESSAGES,
    "applied": "Refund or dispute recorded successfully",
    "ignored": "Payment event received. It changes no refund or dispute",
    "needs_review": "The refund or dispute needs review",
}


class PaymentEventNotFound(Problem):
    """The payment event does not exist."""

    status, kind, title = 404, "payment-event-not-found", "Payment event not found"

    def __init__(self, inbox_id: str) -> None:
        super().__init__(f"Payment event {inbox_id} not found")


class UnreadablePaymentEvent(Problem):
    """The stored payment event cannot be read, or its body was erased."""

    status, kind, title = 422, "unreadable-payment-event", "Unreadable payment event"


def record(event: PaymentEvent, authentic: AuthenticEvent, body: bytes, actor: Actor) -> dict[str, Any]:
    """Store an event, and apply it once. Return the response, and stored_outcome, the outcome of its inbox entry.

    Raises OrderNotFound within an hour of the first delivery. The order may not be committed yet, so the processor
    should deliver the event again. Later, the event is another system's, or needs review.
    """
    event_id = event.event_id or authentic.webhook_id or hashlib.sha256(body).hexdigest()
    text, is_base64 = _as_text(body)
    is_named = bool(event.event_id or authentic.webhook_id)
    kept = {
        "event_id": event_id,
        "is_named": is_named,
        "scheme": authentic.scheme,
        "body": text,
        "body_is_base64": is_base64,
    }
    outcome, response = _call("record_payment_event", {**event._asdict(), **kept}, actor)
    if response.pop("is_recent") and outcome == "unknown_order":
        raise OrderNotFound(response["order_id"])
    return _described(outcome, response)


def replay(inbox_id: str, actor: Actor) -> dict[str, Any]:
    """Apply a stored event again. If it could not be read, read its body again. Return the response, as record does.

    Raises PaymentEventNotFound, OrderNotFound or UnreadablePaymentEvent.
    """
    outcome, response = _call("replay_payment_event", {"id": inbox_id}, actor)
    if outcome == "unknown_payment_event":
        raise PaymentEventNotFound(inbox_id)
    if outcome == "unreadable":
        if response["body"] is None:
            raise UnreadablePaymentEvent("The event could not be read, and its body was erased. It cannot be replayed.")
        outcome, response = _read_again(response, actor)
    if outcome == "unknown_order":
        raise OrderNotFound(response["order_id"])
    del response["is_recent"]
    return _described(outcome, response)


def _read_again(stored: dict[str, Any], actor: Actor) -> tuple[str, dict[str, Any]]:
    """Record an unreadable event again, as this release and its settings read it. Raises UnreadablePaymentEvent."""
    body = base64.b64decode(stored["body"]) if stored["body_is_base64"] else stored["body"].encode()
    event, problem = read_event(stored["scheme"], body)
    outcome, response = _call("record_payment_event", {**event._asdict(), **stored, "cause": "replay"}, actor)
    if problem:
        raise UnreadablePaymentEvent(problem.detail)
    return outcome, response


def erase_bodies(retention_days: int, batch_size: int, *, only_ignored: bool = False) -> int:
    """Erase up to batch_size bodies of events that arrived more than retention_days ago. Return how many.

    only_ignored: of events whose type is not handled.
    """
    request = {"retention_days": retention_days, "batch_size": batch_size, "only_ignored": only_ignored}
    return int(db.call("erase_payment_bodies", json.dumps(request), repeatable=False)[1])


def list_page(request: dict[str, Any]) -> str:
    return db.call("list_payment_events", json.dumps(request), repeatable=True)[1]


def list_payments(order_id: str, request: dict[str, Any]) -> str:
    """Return a page of the payments of an order. Raises OrderNotFound."""
    outcome, body = db.call("list_payments", json.dumps({"id": order_id, **request}), repeatable=True)
    if outcome == "unknown_order":
        raise OrderNotFound(order_id)
    return body


def _call(function: str, request: dict[str, Any], actor: Actor) -> tuple[str, dict[str, Any]]:
    # Decimals and times become text, so that no digit is lost.
    text = json.dumps({**request, **_rules(), **actor}, default=str)
    # An event is identified by its ID and content, so a repetition counts as one more delivery or replay: the timeline
    # shows it, and nothing else changes.
    outcome, body = db.call(function, text, repeatable=True)
    return outcome, json.loads(body or "{}")


def _described(outcome: str, response: dict[str, Any]) -> dict[str, Any]:
    messages = REFUND_MESSAGES if response.pop("is_about_refund", False) else MESSAGES
    return {"message": messages[outcome], **response, "outcome": outcome}


def _rules() -> dict[str, Any]:
    """Return the settings that decide which payments change orders, and how many other events are stored."""
    return {
        "payment_mode": settings.payment_mode(),
        "payment_accounts": settings.payment_accounts(),
        "ignored_events_per_day": settings.ignored_events_per_day(),
    }


def _as_text(body: bytes) -> tuple[str, bool]:
    """Return the body, and whether it is in base64, because it is not a text that PostgreSQL can store."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        text = "\0"
    return (base64.b64encode(body).decode(), True) if "\0" in text else (text, False)
