"""The expected inbox of payment events, as a part of the model."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count

from tests.integration.entities import CANARY, MINUTES_TO_LIVE, NO_ORDER, Body, Order

CURRENCY = "USD"

Decision = tuple[str, str | None]
"""The outcome of an event, and the reason if it was not applied."""

SAME_EVENT: Decision = ("duplicate", "same_event")
OTHER_CONTENT: Decision = ("needs_review", "other_content")
UNKNOWN_ORDER: Decision = ("unknown_order", "unknown_order")
UNREADABLE: Decision = ("unreadable", "invalid")
WITHOUT_ORDER: Decision = ("ignored", "no_order_named")
STARTED: Decision = ("ignored", "payment_under_way")
ENDED: Decision = ("ignored", "payment_ended")
APPLIED: Decision = ("applied", None)

STRIPE_TYPES = {
    "started": "payment_intent.processing",
    "ended": "payment_intent.canceled",
    "money": "payment_intent.succeeded",
    "nothing": "customer.created",
}
"""The type of the events that are sent in Stripe's format. All others are sent in the native format."""

KINDS = {
    "order_canceled": "paid_and_canceled",
    "order_completed": "paid_after_completion",
    "other_content": "conflicting_event",
    "amount_differs": "amount_mismatch",
    "currency_differs": "amount_mismatch",
    "unknown_order": "event_without_order",
    "no_order_named": "event_without_order",
}
"""The kind of reconciliation entry for each reason that needs a person to act."""


@dataclass(frozen=True)
class Payment:
    """A payment event, as the processor sends it.

    report: paid, failed, unreadable, or one of STRIPE_TYPES. order: None if the event names no order.
    """

    event_id: str
    order: Order | None
    report: str
    amount: Decimal | None = None
    currency: str | None = None
    # Two events that differ only in this are the same content.
    reference: str | None = field(default=None, compare=False)

    def body(self) -> Body:
        if self.report in STRIPE_TYPES:
            metadata = {"order_id": self.order.id} if self.order else {}
            about = {"id": self.reference or self.event_id, "metadata": metadata, **self.personal_data()}
            return {"id": self.event_id, "type": STRIPE_TYPES[self.report], "data": {"object": about}}
        status = "PAID" if self.report == "unreadable" else self.report
        sent = {"event_id": self.event_id, "order_id": self.order_id, "payment_status": status, **self.money()}
        return {**sent, **self.personal_data()}

    def personal_data(self) -> Body:
        return {"receipt_email": CANARY} if self.known_order else {}

    @property
    def order_id(self) -> str | None:
        return self.order.id if self.order else None

    @property
    def known_order(self) -> Order | None:
        return None if self.order is NO_ORDER else self.order

    @property
    def payment_reference(self) -> str | None:
        is_about_payment = self.report in STRIPE_TYPES and self.report != "nothing"
        return (self.reference or self.event_id) if is_about_payment else None

    @property
    def payment_status(self) -> str | None:
        return {"paid": "paid", "failed": "failed", "money": "paid"}.get(self.report)

    @property
    def content(self) -> "Payment":
        """What decides whether two events are the same. The amount of a failure does not."""
        return replace(self, amount=None, currency=None) if self.report == "failed" else self

    def money(self) -> Body:
        return {"amount": None if self.amount is None else str(self.amount), "currency": self.currency}

    def decision(self) -> Decision:
        """The outcome that the order's current state requires."""
        order, is_failure = self.order, self.report == "failed"
        if self.report == "unreadable":
            return UNREADABLE
        if order is None:
            return WITHOUT_ORDER if self.report == "money" else ("ignored", "type_not_ours")
        if self.report == "ended":
            return ENDED
        is_paid = order.payment_status == "paid"
        expected = (order.total, None) if order.total > 0 else (order.total,)
        rules: list[tuple[bool, Decision]] = [
            (order is NO_ORDER, UNKNOWN_ORDER),
            (self.report == "started", STARTED),
            (is_failure and is_paid, ("ignored", "order_paid")),
            (is_failure and order.status != "pending", late_failure(order)),
            (order.status == "canceled" and not is_paid, ("needs_refund", "order_canceled")),
            (not is_failure and self.amount not in expected, ("needs_review", "amount_differs")),
            (not is_failure and self.currency not in (None, CURRENCY), ("needs_review", "currency_differs")),
            (order.payment_status == self.report, ("duplicate", "same_status")),
            (order.status == "completed", ("needs_review", "order_completed")),
        ]
        return next((decision for applies, decision in rules if applies), APPLIED)

    def settle(self, decision: Decision, cause: str) -> None:
        """Apply a decision to the order, and record it in the timeline."""
        if self.known_order is None:
            return
        if decision == APPLIED:
            self.known_order.payment_status = self.report
        outcome, reason = decision
        self.known_order.record(cause, outcome=outcome, reason=reason, payment_event_id=self.event_id)


def late_failure(order: Order) -> Decision:
    is_known = order.payment_status == "failed"
    return ("duplicate", "same_status") if is_known else ("ignored", "order_not_pending")


@dataclass(eq=False)
class StoredEvent:
    """An event in the inbox. received and last_attempt: the numbers of its first and its last delivery."""

    payment: Payment
    variant: int
    decision: Decision
    received: int
    last_attempt: int
    attempts: int = 1
    has_body: bool = True
    orders: set[Order] = field(default_factory=set)
    """Those whose timelines contain a delivery or a replay of this event."""

    @property
    def reports_payment(self) -> bool:
        without_payment = (UNREADABLE, OTHER_CONTENT, UNKNOWN_ORDER, WITHOUT_ORDER)
        return self.payment.payment_status is not None and self.decision not in without_payment

    def as_response(self) -> Body:
        outcome, reason = self.decision
        sent = {"event_id": self.payment.event_id, "order_id": self.payment.order_id, **self.payment.money()}
        status = {"payment_status": self.payment.payment_status}
        return {**sent, **status, "outcome": outcome, "reason": reason, "attempts": self.attempts}

    def ends(self, start: "StoredEvent") -> bool:
        """Whether this event ends a payment that was in progress."""
        is_end = self.decision == ENDED or (self.payment.report == "failed" and self.reports_payment)
        is_about_it = self.payment.reference in (None, start.payment.reference)
        return is_end and is_about_it and self.received > start.received

    def is_replaced_by(self, sent: Payment) -> bool:
        """Whether a delivery with the same ID replaces this event, which had no effect yet."""
        if UNREADABLE in (self.decision, sent.decision()):
            return self.decision == UNREADABLE and self.payment.order is sent.order
        if self.payment.content == sent.content:
            return self.decision == UNKNOWN_ORDER
        return (
            self.decision in (UNKNOWN_ORDER, WITHOUT_ORDER)
            and self.payment.payment_status is not None
            and self.payment.payment_status == sent.payment_status
            and sent.order is not None
        )


@dataclass
class Inbox:
    contents: dict[str, list[StoredEvent]] = field(default_factory=dict)
    """The events for each event ID, in the order of their arrival."""
    clock: Iterator[int] = field(default_factory=count)

    def stored(self) -> list[StoredEvent]:
        return [one for same_id in self.contents.values() for one in same_id]

    def erased_unread(self) -> list[StoredEvent]:
        """The events that could not be read before their body was erased."""
        return [one for one in self.stored() if one.decision == UNREADABLE and not one.has_body]

    def receive(self, payment: Payment, cause: str = "payment_event") -> Decision:
        stored, decision = self._keep(payment, has_body=self.may_keep_body(payment))
        if payment.known_order:
            stored.orders.add(payment.known_order)
        payment.settle(decision, cause)
        return decision

    def _keep(self, payment: Payment, *, has_body: bool) -> tuple[StoredEvent, Decision]:
        known, now = self.contents.setdefault(payment.event_id, []), next(self.clock)
        candidates = [one for one in known if one.payment.content == payment.content or one.is_replaced_by(payment)]
        found = min(candidates, key=lambda one: (one.payment.content != payment.content, one.variant), default=None)
        if found and found.payment.content == payment.content and not found.is_replaced_by(payment):
            found.attempts, found.last_attempt = found.attempts + 1, now
            return found, SAME_EVENT
        if found is None:
            found = StoredEvent(payment, len(known), UNREADABLE, now, now, attempts=0)
            known.append(found)
        found.payment, found.attempts, found.last_attempt = payment, found.attempts + 1, now
        found.has_body = has_body
        found.decision = self.without_conflict(found, payment.decision())
        return found, found.decision

    def may_keep_body(self, sent: Payment) -> bool:
        """Whether the body of a delivery may be stored. It may not if it can belong to an order that was erased."""
        reference, order = sent.payment_reference, sent.known_order
        if order and order.erasures:
            self.erase_bodies([order], [reference])
            is_erased = True
        else:
            same_payment = [one for one in self.stored() if reference and one.payment.payment_reference == reference]
            is_erased = order is None and not all(one.has_body for one in same_payment)
        same_id = self.contents.get(sent.event_id, [])
        for one in same_id:
            one.has_body = one.has_body and not is_erased
        return not is_erased and all(one.has_body for one in same_id)

    def erase_bodies(self, orders: list[Order], references: Iterable[str | None] = ()) -> set[Order]:
        """Erase the bodies of the orders' events, and of others with the same IDs or about the same payments.

        Returns the orders whose events had a body.
        """
        of_orders = [one for one in self.stored() if one.payment.order in orders or one.orders & set(orders)]
        known = {*references, *(one.payment.payment_reference for one in of_orders)} - {None}
        of_payments = [one for one in self.stored() if one.payment.payment_reference in known]
        ids = {one.payment.event_id for one in (*of_orders, *of_payments)}
        erased = [one for one in self.stored() if one.payment.event_id in ids and one.has_body]
        for one in erased:
            one.has_body = False
        return {one.payment.order for one in erased if one.payment.order in orders}

    def without_conflict(self, stored: StoredEvent, decision: Decision) -> Decision:
        """At most one content under an ID reports a payment."""
        stored.decision = decision
        is_payment = stored.reports_payment or (stored.payment.payment_status and decision == UNKNOWN_ORDER)
        others = [one for one in self.contents[stored.payment.event_id] if one is not stored]
        return OTHER_CONTENT if is_payment and any(one.reports_payment for one in others) else decision

    def replay(self, stored: StoredEvent) -> Decision:
        if stored.decision == UNREADABLE:
            return self.receive(stored.payment, "replay") if stored.has_body else UNREADABLE
        if stored.payment.known_order:
            stored.orders.add(stored.payment.known_order)
        stored.attempts, stored.last_attempt = stored.attempts + 1, next(self.clock)
        decision = SAME_EVENT if stored.decision == APPLIED else OTHER_CONTENT
        if stored.decision not in (APPLIED, OTHER_CONTENT):
            decision = stored.decision = self.without_conflict(stored, stored.payment.decision())
        stored.payment.settle(decision, "replay")
        return decision

    def holds(self, order: Order) -> bool:
        """Whether a payment in progress, or money that needs review, keeps an order from expiring."""
        events = [one for one in self.stored() if one.payment.order is order]
        needs_review = any(one.decision[0] == "needs_review" and one.payment.payment_status == "paid" for one in events)
        is_in_progress = any(one.decision == STARTED and not any(end.ends(one) for end in events) for one in events)
        return order.is_unpaid() and (needs_review or is_in_progress)

    def reconciliation_entries(self, orders: list[Order]) -> Iterator[tuple[str, str | None, str | None]]:
        """The kind, the order ID and the payment event ID of each reconciliation entry."""
        for order in orders:
            if order.status == "canceled" and order.payment_status == "paid" and order.total > 0:
                yield "paid_and_canceled", order.id, None
            if order.status == "completed" and order.payment_status != "paid":
                yield "completed_and_unpaid", order.id, None
            if self.holds(order):
                yield "held_too_long", order.id, None
            elif order.status == "pending" and order.minutes_old > MINUTES_TO_LIVE:
                yield "pending_too_long", order.id, None
        for one in self.stored():
            if kind := self.kind_of(one):
                order_id = None if one.payment.order is NO_ORDER else one.payment.order_id
                yield kind, order_id, one.payment.event_id

    def kind_of(self, stored: StoredEvent) -> str | None:
        outcome, reason = stored.decision
        if stored.decision == UNREADABLE:
            same_id = self.contents[stored.payment.event_id]
            is_read = any(
                one.decision != UNREADABLE
                and one.last_attempt > stored.last_attempt
                and one.payment.order is stored.payment.order
                for one in same_id
            )
            return None if is_read else "unreadable_event"
        if outcome in ("needs_refund", "needs_review"):
            return KINDS[str(reason)]
        is_lost = stored.decision in (UNKNOWN_ORDER, WITHOUT_ORDER) and stored.payment.payment_status == "paid"
        return KINDS[str(reason)] if is_lost else None
