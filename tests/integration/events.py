"""The events that a processor sends to the shop of the model."""

from dataclasses import dataclass, field
from decimal import Decimal

from tests.integration.entities import CANARY, NO_ORDER, Body, Order
from tests.integration.money import Refund

STRIPE_TYPES = {
    "charged": "payment_intent.succeeded",
    "started": "payment_intent.processing",
    "ended": "payment_intent.canceled",
    "money": "payment_intent.succeeded",
    "nothing": "customer.created",
    "refund": "refund.updated",
    "refund_total": "charge.refunded",
    "dispute": "charge.dispute.updated",
}
"""The type of each report in Stripe's format. All others are sent in the native format."""

STRIPE_DISPUTES = {"open": "needs_response", "won": "won", "lost": "lost"}
NATIVE_DISPUTES = {"open": "opened", "won": "won", "lost": "lost"}
PAYMENT_STATUSES = {"paid": "paid", "failed": "failed", "charged": "paid", "money": "paid"}


@dataclass(frozen=True)
class Event:
    """An event, as the processor sends it.

    report: paid, failed, unreadable, or one of STRIPE_TYPES. order: None if the event names no order.
    reference: of the payment. object_reference: of the refund or the dispute. refund: the one that the event names.
    status: of the refund or the dispute. minute: the processor's time.
    """

    event_id: str
    order: Order | None
    report: str
    amount: Decimal | None = None
    currency: str | None = None
    reference: str | None = None
    object_reference: str | None = None
    refund: Refund | None = field(default=None, compare=False)
    status: str | None = None
    minute: int | None = None
    scheme: str = "stripe"
    is_named: bool = True
    """Whether the event has an ID. Otherwise, event_id is the hash of its body."""

    def body(self) -> Body:
        return {**(self._stripe() if self.is_stripe else self._native()), **self._time()}

    def _stripe(self) -> Body:
        metadata = {"order_id": self.order_id, "refund_id": self.refund and self.refund.id}
        about = {
            "id": self.object_reference or self.reference or self.event_id,
            "metadata": metadata,
            "status": STRIPE_DISPUTES.get(self.status or "", self.status),
            "currency": self.currency,
            **self._personal_data(),
        }
        if self.is_about_refund:
            about["payment_intent"] = self.reference
        if self.amount is not None:
            about["amount_refunded" if self.report == "refund_total" else "amount"] = int(self.amount * 100)
        return {"id": self.event_id, "type": STRIPE_TYPES[self.report], "data": {"object": about}}

    def _native(self) -> Body:
        sent = {"order_id": self.order_id, "payment_reference": self.reference, **self.money()}
        if self.is_named:
            sent["event_id"] = self.event_id
        if self.report == "refund":
            sent |= {"type": f"refund.{self.status}", "processor_refund_id": self.object_reference}
            sent |= {"refund_id": self.refund and self.refund.id}
        elif self.report == "dispute":
            sent |= {"type": f"dispute.{NATIVE_DISPUTES[self.status or '']}"}
        else:
            sent |= {"payment_status": "PAID" if self.report == "unreadable" else self.report}
        return {**sent, **self._personal_data()}

    def _time(self) -> Body:
        name = "created" if self.is_stripe else "occurred_at"
        return {} if self.minute is None else {name: 1_700_000_000 + 60 * self.minute}

    def _personal_data(self) -> Body:
        return {"receipt_email": CANARY} if self.order not in (None, NO_ORDER) else {}

    @property
    def is_stripe(self) -> bool:
        """Whether the event is in Stripe's format."""
        return self.scheme == "stripe" and self.report in STRIPE_TYPES

    @property
    def order_id(self) -> str | None:
        return self.order.id if self.order else None

    @property
    def payment_reference(self) -> str | None:
        """The processor's reference of the payment, as the shop reads it."""
        if self.reference is None and self.report in ("charged", "started", "ended", "money"):
            return self.event_id
        return self.reference

    @property
    def payment_status(self) -> str | None:
        return PAYMENT_STATUSES.get(self.report)

    @property
    def is_about_refund(self) -> bool:
        """Whether the event is about a refund or a dispute."""
        return self.report in ("refund", "refund_total", "dispute")

    @property
    def content(self) -> object:
        """What decides whether two events are the same. The amount and the payment of a failure do not."""
        if self.is_about_refund:
            about = self.reference, self.object_reference, self.status
            return self.report, about, self.amount, self.currency
        money = (self.reference, self.amount, self.currency) if self.payment_status == "paid" else ()
        return (self.report, self.order, *money)

    def money(self) -> Body:
        return {"amount": None if self.amount is None else f"{self.amount:.2f}", "currency": self.currency}
