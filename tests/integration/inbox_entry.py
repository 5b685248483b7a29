"""An event in the expected inbox."""

from dataclasses import dataclass, field

from tests.integration.decisions import (
    AMOUNT_UNREADABLE,
    AMOUNT_ZERO,
    CURRENCY_DIFFERS,
    ENDED,
    OTHER_CONTENT,
    PAYMENT_CHANGED,
    PAYMENT_UNKNOWN,
    UNKNOWN_ORDER,
    UNREADABLE,
    WITHOUT_ORDER,
    Decision,
)
from tests.integration.entities import NO_ORDER, Body, Order
from tests.integration.events import Event
from tests.integration.money import Named, ReceivedPayment, Refund

LONG_AGO = 1_000_000


@dataclass(eq=False, repr=False)
class StoredEvent(Named):
    """An event in the inbox. received and last_attempt: the times of its first and its last delivery.

    order: as sent, or the one whose payment the event is about. refund: as sent, or the one that the event is about.
    """

    event: Event
    variant: int
    decision: Decision
    order: Order | None
    received: int
    last_attempt: int
    attempts: int = 1
    has_body: bool = True
    refund: Refund | None = None
    id: str = ""
    """As the database shows it after the step."""
    orders: set[Order] = field(default_factory=set)
    """Those whose timelines contain a delivery or a replay of this event."""
    notes: list[str | None] = field(default_factory=list)
    """The keys of the requests that dismissed the event's entry with a note, while no order was known."""

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"content {self.variant} of {self.event.event_id}"

    @property
    def known_order(self) -> Order | None:
        return None if self.order is NO_ORDER else self.order

    @property
    def reports(self) -> bool:
        """Whether the event reports a payment, a refund or a dispute of an order that was found."""
        without_effect = (UNREADABLE, OTHER_CONTENT, UNKNOWN_ORDER, WITHOUT_ORDER, PAYMENT_UNKNOWN)
        status = self.event.payment_status or self.event.status
        return status is not None and self.decision not in without_effect

    @property
    def is_waiting(self) -> bool:
        without_effect = (AMOUNT_UNREADABLE, AMOUNT_ZERO, CURRENCY_DIFFERS)
        return self.decision == PAYMENT_UNKNOWN or (self.event.report == "refund" and self.decision in without_effect)

    @property
    def reported(self) -> int:
        """When the processor says that it happened, which is before any delivery, or else when it arrived."""
        return self.received if self.event.minute is None else self.event.minute - LONG_AGO

    def as_response(self) -> Body:
        outcome, reason = self.decision
        order_id = self.order.id if self.order else None
        sent = {"event_id": self.event.event_id, "order_id": order_id, **self.event.money()}
        status = {"payment_status": self.event.payment_status, "refund_id": self.refund and self.refund.id}
        return {**sent, **status, "outcome": outcome, "reason": reason, "attempts": self.attempts}

    def payments(self) -> list[ReceivedPayment]:
        """The payments that the event is about. A changed amount without any reference is of the first payment."""
        if self.known_order is None:
            return []
        known = self.known_order.money.payments
        if self.decision == PAYMENT_CHANGED and self.event.payment_reference is None:
            return known[:1]
        return [one for one in known if one.is_reported_by(self)]

    def ends(self, start: "StoredEvent") -> bool:
        """Whether this event ends a payment that was in progress."""
        is_end = self.decision == ENDED or (self.event.report == "failed" and self.reports)
        is_about_it = self.event.reference in (None, start.event.reference)
        return is_end and is_about_it and self.received > start.received

    def is_replaced_by(self, sent: Event, order: Order | None) -> bool:
        """Whether a delivery with the same ID replaces this event, which had no effect yet."""
        if self.decision == UNREADABLE or sent.report == "unreadable":
            return self.decision == UNREADABLE and self.order is order
        if self.event.content == sent.content:
            return self.decision in (UNKNOWN_ORDER, PAYMENT_UNKNOWN)
        if sent.is_about_refund:
            return self.event.report == "nothing"
        return (
            self.decision in (UNKNOWN_ORDER, WITHOUT_ORDER)
            and self.event.payment_status is not None
            and self.event.payment_status == sent.payment_status
            and sent.order is not None
        )
