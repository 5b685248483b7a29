"""Events about a payment, in the format of each scheme."""

import json
import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, NamedTuple

from storefront.currencies import EXPONENTS


class Kind(NamedTuple):
    """What an event reports.

    type: in the native format and in Standard Webhooks. object_status: of Stripe's refund or dispute.
    """

    type: str
    stripe_type: str
    stripe_object: str = "payment_intent"
    object_status: str | None = None


KINDS = {
    "paid": Kind("payment.paid", "payment_intent.succeeded"),
    "failed": Kind("payment.failed", "payment_intent.payment_failed"),
    "refunded": Kind("refund.succeeded", "refund.updated", "refund", "succeeded"),
    "refund_failed": Kind("refund.failed", "refund.failed", "refund", "failed"),
    "disputed": Kind("dispute.opened", "charge.dispute.created", "dispute", "needs_response"),
    "dispute_won": Kind("dispute.won", "charge.dispute.closed", "dispute", "won"),
    "dispute_lost": Kind("dispute.lost", "charge.dispute.closed", "dispute", "lost"),
}
"""The events that can be sent, by their status."""


@dataclass(frozen=True)
class Event:
    """An event about a payment, a refund or a dispute.

    status: as in KINDS. refund_id: Storefront's ID of the refund.
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
            "standard_webhooks": {"type": self._kind.type, "data": self._as_native()},
            "stripe": self._as_stripe(),
        }
        return json.dumps(formats[scheme]).encode()

    @property
    def _kind(self) -> Kind:
        return KINDS[self.status]

    @property
    def _is_payment(self) -> bool:
        return self._kind.object_status is None

    @property
    def _object_id(self) -> str:
        """The processor's ID of the refund or the dispute. Events about the same dispute or refund_id share it."""
        if self._kind.stripe_object == "dispute":
            return f"dp_{self.payment_reference or self.order_id}"
        return f"re_{self.refund_id}" if self.refund_id else self.event_id.replace("evt_", "re_", 1)

    def _as_native(self) -> dict[str, str]:
        fields = {"order_id": self.order_id, "event_id": self.event_id}
        fields |= {"payment_status": self.status} if self._is_payment else {"type": self._kind.type}
        if self._kind.stripe_object == "refund":
            fields["processor_refund_id"] = self._object_id
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
            "type": self._kind.stripe_type,
            "created": int(time.time()),
            "data": {"object": self._stripe_object()},
        }

    def _stripe_object(self) -> dict[str, Any]:
        content: dict[str, Any] = {"object": self._kind.stripe_object, "metadata": {"order_id": self.order_id}}
        if not self._is_payment:
            content |= {"id": self._object_id, "status": self._kind.object_status}
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
