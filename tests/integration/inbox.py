"""The expected inbox of payment events, as a part of the model."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from tests.integration.model import MINUTES_TO_LIVE, NO_ORDER, Body, Order, total

CURRENCY = "USD"

Decision = tuple[str, str | None]
"""The outcome of an event, and the reason if it was not applied."""

SAME_EVENT: Decision = ("duplicate", "same_event")
OTHER_CONTENT: Decision = ("needs_review", "other_content")
UNKNOWN_ORDER: Decision = ("unknown_order", "unknown_order")
APPLIED: Decision = ("applied", None)

KINDS = {
    "order_canceled": "paid_and_canceled",
    "order_completed": "paid_after_completion",
    "other_content": "conflicting_event",
    "amount_differs": "amount_mismatch",
    "currency_differs": "amount_mismatch",
    "unknown_order": "event_without_order",
}
"""The kind of reconciliation entry for each reason that needs a person to act."""


@dataclass(frozen=True)
class Payment:
    """A payment event, as the processor sends it."""

    event_id: str
    order: Order
    status: str
    amount: Decimal | None = None
    currency: str | None = None

    def body(self) -> Body:
        money = {"amount": None if self.amount is None else str(self.amount), "currency": self.currency}
        return {"event_id": self.event_id, "order_id": self.order.id, "payment_status": self.status, **money}

    def decision(self) -> Decision:
        """The outcome that the order's current state requires."""
        order = self.order
        is_failure, is_paid = self.status == "failed", order.payment_status == "paid"
        rules: list[tuple[bool, Decision]] = [
            (order is NO_ORDER, UNKNOWN_ORDER),
            (is_failure and is_paid, ("ignored", "order_paid")),
            (is_failure and order.status != "pending", self._late_failure()),
            (order.status == "canceled" and not is_paid, ("needs_refund", "order_canceled")),
            (self.amount not in (None, total(order.line_items)), ("needs_review", "amount_differs")),
            (self.currency not in (None, CURRENCY), ("needs_review", "currency_differs")),
            (order.payment_status == self.status, ("duplicate", "same_status")),
            (order.status == "completed", ("needs_review", "order_completed")),
        ]
        return next((decision for applies, decision in rules if applies), APPLIED)

    def _late_failure(self) -> Decision:
        is_known = self.order.payment_status == "failed"
        return ("duplicate", "same_status") if is_known else ("ignored", "order_not_pending")

    def settle(self, decision: Decision, cause: str) -> None:
        """Apply a decision to the order, and record it in the timeline."""
        if self.order is NO_ORDER:
            return
        if decision == APPLIED:
            self.order.payment_status = self.status
        outcome, reason = decision
        self.order.record(cause, outcome=outcome, reason=reason, payment_event_id=self.event_id)


@dataclass(eq=False)
class StoredEvent:
    """An event in the inbox."""

    payment: Payment
    variant: int
    decision: Decision
    attempts: int = 1

    def as_response(self) -> Body:
        outcome, reason = self.decision
        return {**self.payment.body(), "outcome": outcome, "reason": reason, "attempts": self.attempts}


@dataclass
class Inbox:
    contents: dict[str, list[StoredEvent]] = field(default_factory=dict)
    """The events for each event ID, in the order of their arrival."""

    def stored(self) -> list[StoredEvent]:
        return [one for same_id in self.contents.values() for one in same_id]

    def receive(self, payment: Payment) -> Decision:
        decision = self._keep(payment)
        payment.settle(decision, "payment_event")
        return decision

    def _keep(self, payment: Payment) -> Decision:
        known = self.contents.setdefault(payment.event_id, [])
        if not known or known[0].decision == UNKNOWN_ORDER:
            attempts = known[0].attempts + 1 if known else 1
            known[:1] = [StoredEvent(payment, 0, payment.decision(), attempts)]
            return known[0].decision
        for one in known:
            if one.payment == payment:
                one.attempts += 1
                return SAME_EVENT
        known.append(StoredEvent(payment, len(known), OTHER_CONTENT))
        return OTHER_CONTENT

    def replay(self, stored: StoredEvent) -> Decision:
        stored.attempts += 1
        if stored.decision == APPLIED:
            decision = SAME_EVENT
        else:
            decision = stored.decision = OTHER_CONTENT if stored.variant else stored.payment.decision()
        stored.payment.settle(decision, "replay")
        return decision

    def reconciliation_entries(self, orders: list[Order]) -> Iterator[tuple[str, str | None, str | None]]:
        """The kind, the order ID and the payment event ID of each reconciliation entry."""
        for order in orders:
            if order.status == "canceled" and order.payment_status == "paid":
                yield "paid_and_canceled", order.id, None
            if order.status == "completed" and order.payment_status != "paid":
                yield "completed_and_unpaid", order.id, None
            if order.status == "pending" and order.minutes_old > MINUTES_TO_LIVE:
                yield "pending_too_long", order.id, None
        for one in self.stored():
            outcome, reason = one.decision
            if outcome in ("needs_refund", "needs_review", "unknown_order"):
                order_id = None if one.payment.order is NO_ORDER else one.payment.order.id
                yield KINDS[str(reason)], order_id, one.payment.event_id
