"""Events about a payment, in the format of each scheme."""

import json
import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from storefront.currencies import EXPONENTS

TYPES = {
    "paid": "payment.paid",
    "failed": "payment.failed",
    "refunded": "refund.succeeded",
    "disputed": "dispute.opened",
}
"""The types of the native format and of Standard Webhooks, by the status of an event."""

STRIPE_TYPES = {
    "paid": "payment_intent.succeeded",
    "failed": "payment_intent.payment_failed",
    "refunded": "refund.updated",
    "disputed": "charge.dispute.created",
}


@dataclass(frozen=True)
class Event:
    """An event about a payment.

    status: `paid` or `failed`, `refunded` for a refund that succeeded, or `disputed` for a dispute that was opened.
    refund_id: Storefront's ID of the refund.
    """

    order_id: str
    status: str
    amount: str | None
    currency: str | None
    payment_reference: str | None = None
    refund_id: str | None = None
    event_id: str = field(default_factory=lambda: f"evt_{uuid.uuid4().hex}")

    def body(self, scheme: str) -> bytes:
        """Return the request body in the format of a scheme."""
        formats: dict[str, Any] = {
            "x_signature": self._as_native(),
            "standard_webhooks": {"type": TYPES[self.status], "data": self._as_native()},
            "stripe": self._as_stripe(),
        }
        return json.dumps(formats[scheme]).encode()

    @property
    def _is_payment(self) -> bool:
        return self.status in ("paid", "failed")

    def _object_id(self, prefix: str) -> str:
        return self.event_id.replace("evt_", prefix, 1)

    def _as_native(self) -> dict[str, str]:
        fields = {"order_id": self.order_id, "event_id": self.event_id}
        fields |= {"payment_status": self.status} if self._is_payment else {"type": TYPES[self.status]}
        if self.status == "refunded":
            fields["processor_refund_id"] = self._object_id("re_")
        optional = {
            "amount": self.amount,
            "currency": self.currency,
            "payment_reference": self.payment_reference,
            "refund_id": self.refund_id,
        }
        return fields | {name: text for name, text in optional.items() if text is not None}

    def _as_stripe(self) -> dict[str, Any]:
        return {
            "id": self.event_id,
            "object": "event",
            "type": STRIPE_TYPES[self.status],
            "created": int(time.time()),
            "data": {"object": self._stripe_object()},
        }

    def _stripe_object(self) -> dict[str, Any]:
        objects: dict[str, dict[str, Any]] = {
            "refunded": {"object": "refund", "id": self._object_id("re_"), "status": "succeeded"},
            "disputed": {"object": "dispute", "id": self._object_id("dp_"), "status": "needs_response"},
        }
        content: dict[str, Any] = objects.get(self.status, {"object": "payment_intent"})
        content["metadata"] = {"order_id": self.order_id}
        if self.refund_id is not None:
            content["metadata"]["refund_id"] = self.refund_id
        if self.amount is not None:
            currency = self.currency or "USD"
            units = int(Decimal(self.amount).scaleb(EXPONENTS.get(currency, 2)))
            content |= {"amount": units, "currency": currency.lower()}
            if self._is_payment:
                content["amount_received"] = units
        if self.payment_reference is not None:
            content["id" if self._is_payment else "payment_intent"] = self.payment_reference
        return content
