"""The expected reconciliation, as a part of the model."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from tests.integration.decisions import (
    OTHER_CONTENT,
    PAYMENT_CHANGED,
    PAYMENT_OF_OTHER_ORDER,
    REFUND_SET_TO_FAILED,
    UNKNOWN_ORDER,
    UNREADABLE,
    WITHOUT_ORDER,
    WITHOUT_PAYMENT,
)
from tests.integration.entities import MINUTES_TO_LIVE, NO_ORDER, Order, Refusal
from tests.integration.inbox import Inbox
from tests.integration.inbox_entry import StoredEvent
from tests.integration.money import CURRENCY, RANKS, Dispute, ReceivedPayment, Refund

KINDS = {"order_canceled": "paid_and_canceled", "order_completed": "paid_after_completion", "paid_twice": "paid_twice"}
"""The kind of entry for the reason of a payment. For all others, it is amount_mismatch."""

NOT_LISTED: Refusal = (404, "reconciliation-entry-not-found")
ALREADY_ACKNOWLEDGED: Refusal = (409, "already-acknowledged")


class Entry(NamedTuple):
    """An entry of the reconciliation."""

    kind: str
    about: Order | StoredEvent | ReceivedPayment | Refund | Dispute


def order_of(entry: Entry) -> Order | None:
    match entry.about:
        case Order():
            return entry.about
        case StoredEvent() | ReceivedPayment():
            return None if entry.about.order is NO_ORDER else entry.about.order
        case Refund() | Dispute():
            return entry.about.payment.order


@dataclass
class Books:
    """The entries of the reconciliation, and those that staff dismissed."""

    orders: list[Order]
    inbox: Inbox
    acknowledged: dict[tuple[Entry, int], bool] = field(default_factory=dict)
    """The entries with the facts that were known then, and whether the order still has the note."""

    def version(self, entry: Entry) -> tuple[Entry, int]:
        order = order_of(entry)
        return entry, order.money.facts if order else 0

    def is_acknowledged(self, entry: Entry) -> bool:
        return self.version(entry) in self.acknowledged

    def erase_notes(self, orders: list[Order]) -> set[Order]:
        """Erase the notes about orders. Returns the orders that had one."""
        with_note = [
            known for known, has_note in self.acknowledged.items() if has_note and order_of(known[0]) in orders
        ]
        self.acknowledged |= dict.fromkeys(with_note, False)
        return {order for entry, _ in with_note if (order := order_of(entry))}

    def listed(self) -> list[Entry]:
        """The entries that the list has. An order is listed as pending_too_long only after some time."""
        pending = {order for order in self.orders if order.minutes_old <= MINUTES_TO_LIVE}
        return [entry for entry in self.entries() if entry.kind != "pending_too_long" or entry.about not in pending]

    def entries(self) -> list[Entry]:
        found = [entry for order in self.orders for entry in self._of_order(order)]
        return found + [Entry(kind, one) for one in self.inbox.stored() if (kind := self._kind_of(one))]

    def _of_order(self, order: Order) -> Iterator[Entry]:
        money, is_paid = order.money, order.payment_status == "paid"
        if order.status == "canceled" and is_paid and money.kept > money.under_way:
            yield Entry("paid_and_canceled", order)
        # A part that went back later was paid: whoever refunds a part decided that.
        if order.status == "completed" and not is_paid and (money.paid < order.total or money.kept <= 0):
            yield Entry("completed_and_unpaid", order)
        if order.status == "pending":
            yield Entry("held_too_long" if self.inbox.holds(order) else "pending_too_long", order)
        for payment in money.payments:
            yield from _of_payment(order, payment)
        for refund in money.refunds:
            if refund.is_open:
                yield Entry("refund_stuck", refund)
            elif not_made_up_for(refund, money.refunds):
                yield Entry("refund_failed", refund)

    def _kind_of(self, stored: StoredEvent) -> str | None:
        """The kind of the entry of an event. Where an event led to a payment, that is listed instead."""
        event, (outcome, reason) = stored.event, stored.decision
        if stored.decision == UNREADABLE:
            return None if self._is_read_later(stored) else "unreadable_event"
        if stored.decision == OTHER_CONTENT:
            return "conflicting_event"
        if outcome == "needs_review":
            has_payment = event.payment_status == "paid" and stored.decision not in WITHOUT_PAYMENT
            is_no_money = reason == "amount_differs" and not event.amount
            is_listed = (is_no_money or not has_payment) and not self._is_known_now(stored)
            return "amount_mismatch" if is_listed else None
        is_lost = event.payment_status == "paid" and stored.decision in (UNKNOWN_ORDER, WITHOUT_ORDER)
        return "event_without_order" if is_lost and not self._is_named_later(stored) else None

    def _is_read_later(self, stored: StoredEvent) -> bool:
        return any(
            one.decision != UNREADABLE and one.last_attempt > stored.last_attempt and one.order is stored.order
            for one in self.inbox.contents[stored.event.event_id]
        )

    def _is_known_now(self, stored: StoredEvent) -> bool:
        """Whether another event reported the payment or the refund, or the payment with another amount went back."""
        event, order = stored.event, stored.known_order
        if order is None or stored.decision == REFUND_SET_TO_FAILED:
            return False
        if event.report == "refund":
            rank = RANKS.index(str(event.status))
            known = [one for one in order.money.refunds if one.reference and one.reference == event.object_reference]
            return any(RANKS.index(one.status) >= rank for one in known)
        known_payments = [one for one in stored.payments() if one.event is not stored]
        if stored.decision == PAYMENT_CHANGED:
            return any(one.gone >= one.amount for one in known_payments)
        return stored.decision != PAYMENT_OF_OTHER_ORDER and known_payments != []

    def _is_named_later(self, stored: StoredEvent) -> bool:
        """Whether another event about the same payment names its order."""
        return stored.decision == WITHOUT_ORDER and any(
            one.event.payment_reference == stored.event.payment_reference
            for one in self.inbox.stored()
            if one.event.payment_status == "paid" and one.order
        )


def _of_payment(order: Order, payment: ReceivedPayment) -> Iterator[Entry]:
    is_kept = payment.reason is not None and payment.gone + payment.sum_of("pending") < payment.amount
    if is_kept and not _adds_up(order, payment):
        yield Entry(KINDS.get(str(payment.reason), "amount_mismatch"), payment)
    elif payment.reported_refunds > payment.known_refunds:
        yield Entry("amount_mismatch", payment)
    if payment.open_amount + payment.gone > payment.amount:
        yield Entry("over_refunded", payment)
    for dispute in payment.disputes.values():
        if dispute.status == "open":
            yield Entry("disputed", dispute)


def _adds_up(order: Order, payment: ReceivedPayment) -> bool:
    """Whether the money of the whole order adds up. After a completion without payment, only staff know that."""
    kept = order.money.kept - order.money.under_way
    if payment.reason == "order_completed" or payment.currency != CURRENCY:
        return False
    if order.status == "canceled":
        return kept <= 0
    return (
        kept <= order.total if order.payment_status == "paid" else order.status == "completed" and kept == order.total
    )


def not_made_up_for(failed: Refund, refunds: list[Refund]) -> bool:
    """Whether a refund failed, and no later one of the order replaces it. Each replaces the newest ones before it."""
    same = [one for one in refunds if one.payment.currency == failed.payment.currency]
    requests = [(min(one.requested, one.updated), False, one) for one in same if one.status != "canceled"]
    failures = [(one.updated, True, one) for one in same if one.status == "failed"]
    attempted, missing = Decimal(0), []
    for _, is_failure, refund in sorted([*requests, *failures], key=lambda change: change[:2], reverse=True):
        is_replaced = is_failure and attempted >= refund.amount
        if is_failure and not is_replaced:
            missing.append(refund)
            continue
        attempted += -refund.amount if is_replaced else refund.amount
    payment = failed.payment
    confirmed = sum(one.amount for one in payment.refunds if one.status == "succeeded" and one.reference)
    return failed in missing and payment.lost_amount + confirmed < payment.amount
