"""The payment routes' calls."""

import json

from storefront import db
from storefront.errors import OrderNotFound
from storefront.origin import Origin
from storefront.payments.models import PaymentEvent

MESSAGES = {
    "applied": "Payment status updated successfully",
    "duplicate": "Payment event already taken into account",
    "ignored": "Payment event ignored: it changes nothing",
    "needs_refund": "The order was canceled: the payment needs a refund",
    "needs_review": "The order was completed unpaid: the payment needs a review",
}


def record(event: PaymentEvent, event_id: str, origin: Origin) -> dict[str, str]:
    """Apply an event once; the answer, which says what it did.

    Raises OrderNotFound: the order may not have been committed yet, so the processor should try again.
    """
    outcome, body = db.call("record_payment_event", json.dumps({**event.model_dump(), "event_id": event_id, **origin}))
    if outcome == "unknown_order":
        raise OrderNotFound(f"There is no order {event.order_id}.")
    return {"message": MESSAGES[outcome], **json.loads(body), "event_id": event_id, "outcome": outcome}
