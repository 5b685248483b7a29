"""The expected inbox of payment events, as a part of the model."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from tests.integration.decisions import (
    APPLIED,
    OLDER_STATUS,
    OTHER_CONTENT,
    PAYMENT_OF_OTHER_ORDER,
    PAYMENT_UNKNOWN,
    REFUND_SET_TO_FAILED,
    REFUND_TOTAL,
    SAME_EVENT,
    SAME_STATUS,
    STARTED,
    UNKNOWN_ORDER,
    UNREADABLE,
    Decision,
    decide,
    decide_refund,
    matching_refund,
    payment_of,
)
from tests.integration.effects import (
    add_made_refund,
    cancel_named_request,
    is_received,
    reference_of,
    report_dispute,
    report_refund,
)
from tests.integration.entities import NO_ORDER, Order
from tests.integration.events import Event
from tests.integration.inbox_entry import StoredEvent
from tests.integration.money import CURRENCY, ReceivedPayment, Refund, tick


@dataclass
class Inbox:
    contents: dict[str, list[StoredEvent]] = field(default_factory=dict)
    """The events for each event ID, in the order of their arrival."""
    by_reference: dict[tuple[str, str], ReceivedPayment] = field(default_factory=dict)
    """The payments, by their reference and the scheme of the event that gave it its ID."""
    erased_note_keys: set[str] = field(default_factory=set)
    """The keys of notes about events whose bodies were erased after that."""

    def stored(self) -> list[StoredEvent]:
        return [one for same_id in self.contents.values() for one in same_id]

    def erased_unread(self) -> list[StoredEvent]:
        """The events that could not be read before their body was erased."""
        return [one for one in self.stored() if one.decision == UNREADABLE and not one.has_body]

    def receive(self, event: Event, cause: str = "payment_event") -> tuple[Order | None, Decision]:
        """Expect a delivery. Return the order that the event is about, and the decision."""
        order, payment = self._subject(event, event.order, event.refund)
        has_body = self._may_keep_body(event, order)
        decision, refund = self._decide(event, order, payment, event.refund)
        stored, decision = self._keep(event, order, decision, has_body=has_body)
        if decision != SAME_EVENT:
            stored.order, stored.refund = order, refund
        decision = self._carry_out(stored, order, payment, refund, decision)
        refund = stored.refund if decision == APPLIED else refund
        self._settle(stored, order, refund, decision, cause)
        self._follow(stored, order, refund, decision)
        return order, decision

    def replay(self, stored: StoredEvent) -> tuple[Order | None, Decision]:
        event = stored.event
        if stored.decision == UNREADABLE:
            return self.receive(event, "replay") if stored.has_body else (stored.order, UNREADABLE)
        order, payment = self._subject(event, stored.order, stored.refund)
        stored.attempts, stored.last_attempt = stored.attempts + 1, tick()
        decision = SAME_EVENT
        if stored.decision not in (APPLIED, REFUND_SET_TO_FAILED):
            stored.order = order
            decision, stored.refund = self._decide(event, order, payment, stored.refund, stored)
            stored.decision = decision = self._without_conflict(stored, decision)
            decision = self._carry_out(stored, order, payment, stored.refund, decision)
        self._settle(stored, order, stored.refund, decision, "replay")
        self._follow(stored, order, stored.refund, decision)
        return order, decision

    def _subject(
        self, event: Event, order: Order | None, refund: Refund | None
    ) -> tuple[Order | None, ReceivedPayment | None]:
        """The order and the payment that an event is about."""
        if not event.is_about_refund:
            return order, self._reported_before(event, order)
        named: ReceivedPayment | None = None
        if event.reference is not None:
            # Stripe always names the payment itself. Elsewhere, the reference can be the ID of an event.
            schemes = [""] if event.is_stripe else ["", event.scheme]
            found = [self.by_reference.get((event.reference, scheme)) for scheme in schemes]
            named = next(filter(None, found), None)
        if named is None and refund:
            named = refund.payment
        order = named.order if named else order
        return order, None if order in (None, NO_ORDER) else payment_of(event, order, refund, named)

    def _reported_before(self, event: Event, order: Order | None) -> ReceivedPayment | None:
        """The payment of an order that a payment event is about. Without a reference, it is the first one."""
        if event.payment_status != "paid" or order is None:
            return None
        if event.payment_reference is None and not event.is_named:
            return next(iter(order.money.payments), None)
        same = self.by_reference.get(reference_of(event))
        return same if same and same.order is order else None

    def _decide(
        self,
        event: Event,
        order: Order | None,
        payment: ReceivedPayment | None,
        named: Refund | None,
        stored: StoredEvent | None = None,
    ) -> tuple[Decision, Refund | None]:
        """The decision about an event, and the refund that it is about."""
        if not event.is_about_refund:
            own = next((one for one in order.money.payments if one.event is stored), None) if order else None
            return decide(event, own or payment, is_own=own is not None), None
        is_refund = event.report == "refund"
        refund = matching_refund(event, payment, named) if payment and is_refund else None
        decision = decide_refund(event, order, payment, refund)
        return decision, refund if decision == APPLIED else refund or named

    def _keep(
        self, event: Event, order: Order | None, decision: Decision, *, has_body: bool
    ) -> tuple[StoredEvent, Decision]:
        known, now = self.contents.setdefault(event.event_id, []), tick()
        candidates = [one for one in known if one.event.content == event.content or one.is_replaced_by(event, order)]
        found = min(candidates, key=lambda one: (one.event.content != event.content, one.variant), default=None)
        if found and found.event.content == event.content and not found.is_replaced_by(event, order):
            found.attempts, found.last_attempt = found.attempts + 1, now
            return found, SAME_EVENT
        if found is None:
            found = StoredEvent(event, len(known), UNREADABLE, order, now, now, attempts=0)
            known.append(found)
        found.event, found.attempts, found.last_attempt = event, found.attempts + 1, now
        found.has_body = has_body
        found.decision = self._without_conflict(found, decision)
        return found, found.decision

    def _carry_out(
        self,
        stored: StoredEvent,
        order: Order | None,
        payment: ReceivedPayment | None,
        refund: Refund | None,
        decision: Decision,
    ) -> Decision:
        """Change the money as decided. Return the decision, which changes if another order has the payment."""
        event = stored.event
        if decision == PAYMENT_UNKNOWN and order:
            order.money.facts = max(order.money.facts, 1)
        elif decision == APPLIED and event.report == "refund" and payment:
            stored.refund = report_refund(stored, payment, refund)
        elif decision == REFUND_SET_TO_FAILED and refund:
            add_made_refund(event, refund)
        elif decision in (SAME_STATUS, OLDER_STATUS) and event.report == "refund" and refund:
            refund.is_confirmed |= decision == SAME_STATUS and refund.status in ("succeeded", "failed")
            if event.minute is not None and not refund.is_ours:
                refund.requested = min(refund.requested, stored.reported)
        elif decision in (APPLIED, SAME_STATUS, OLDER_STATUS) and event.report == "dispute" and payment:
            report_dispute(event, payment, decision)
        elif decision == REFUND_TOTAL and payment and event.currency == payment.currency:
            if (event.amount or 0) > payment.reported_refunds:
                payment.reported_refunds = event.amount or Decimal(0)
                payment.order.money.change(is_fact=payment.reported_refunds > payment.known_refunds, is_shown=False)
        elif order and is_received(event, order, decision):
            return self._receive_payment(stored, order, payment, decision)
        return decision

    def _receive_payment(
        self, stored: StoredEvent, order: Order, known: ReceivedPayment | None, decision: Decision
    ) -> Decision:
        event, reason = stored.event, decision[1]
        known = next((one for one in order.money.payments if one.event is stored), known)
        amount = event.amount or (known.amount if known else order.total)
        currency = event.currency or (known.currency if known else CURRENCY)
        if known is None:
            reference, scheme = reference_of(event)
            if reference and (reference, scheme) in self.by_reference:
                stored.decision = PAYMENT_OF_OTHER_ORDER
                return PAYMENT_OF_OTHER_ORDER
            known = ReceivedPayment(stored, order, reference or None, scheme, amount, currency, reason)
            order.money.payments.append(known)
            order.money.payments.sort(key=lambda one: one.received)
            if reference:
                self.by_reference[reference, scheme] = known
        elif (known.reason, known.amount, known.currency) == (reason, amount, currency):
            return decision
        known.reason, known.amount, known.currency = reason, amount, currency
        self._apply_waiting_events(order)
        order.money.change(is_fact=True)
        return decision

    def _apply_waiting_events(self, order: Order) -> None:
        """Apply the refund and dispute events that arrived before a payment of the order."""
        references = {payment.reference for payment in order.money.payments}
        # The amount of a refund is in one of its events.
        for one in sorted(self.stored(), key=lambda one: (not one.event.amount, one.received)):
            if one.is_waiting and (one.order is order or one.event.reference in references - {None}):
                target, payment = self._subject(one.event, one.order, one.refund)
                if payment is None or target is not order:
                    continue
                decision, refund = self._decide(one.event, order, payment, one.refund)
                if decision == one.decision:
                    continue
                one.order, one.refund = order, refund
                one.decision = decision = self._without_conflict(one, decision)
                self._carry_out(one, order, payment, one.refund, decision)
                self._settle(one, order, one.refund, decision, "payment_event")
        if order.erasures:
            self.erase_bodies([order])

    def _settle(
        self, stored: StoredEvent, order: Order | None, refund: Refund | None, decision: Decision, cause: str
    ) -> None:
        """Apply a decision to the order, and record it in the timeline."""
        event, (outcome, reason) = stored.event, decision
        if order is None or order is NO_ORDER:
            return
        stored.orders.add(order)
        if decision == APPLIED and event.payment_status:
            order.payment_status = event.payment_status
        about_refund = {"refund": refund, "refund_status": event.status if event.report == "refund" else None}
        order.record(cause, outcome=outcome, reason=reason, payment_event_id=event.event_id, **about_refund)

    def _follow(self, stored: StoredEvent, order: Order | None, refund: Refund | None, decision: Decision) -> None:
        """Apply the events that waited for a refund, and cancel the request that its event named."""
        if order and refund and stored.event.report == "refund":
            if decision == APPLIED:
                self._apply_waiting_events(order)
            if stored.event.refund and decision in (APPLIED, SAME_STATUS, OLDER_STATUS):
                cancel_named_request(stored.event.refund, refund)

    def _may_keep_body(self, sent: Event, order: Order | None) -> bool:
        """Whether the body of a delivery may be stored. It may not if it can belong to an order that was erased."""
        reference, known = sent.payment_reference, None if order is NO_ORDER else order
        if known and known.erasures:
            self.erase_bodies([known], [reference])
            is_erased = True
        else:
            same_payment = [one for one in self.stored() if reference and one.event.payment_reference == reference]
            is_erased = known is None and not all(one.has_body for one in same_payment)
        same_id = self.contents.get(sent.event_id, [])
        for one in same_id:
            one.has_body = one.has_body and not is_erased
        return not is_erased and all(one.has_body for one in same_id)

    def erase_bodies(self, orders: list[Order], references: Iterable[str | None] = ()) -> set[Order]:
        """Erase the bodies of the orders' events, and of others with the same IDs or about the same payments.

        Notes about these events are erased, too, where no order was known.
        Returns the orders whose events had a body or a note.
        """
        of_orders = [one for one in self.stored() if one.order in orders or one.orders & set(orders)]
        known = {*references, *(one.event.payment_reference for one in of_orders)} - {None}
        of_payments = [one for one in self.stored() if one.event.payment_reference in known]
        ids = {one.event.event_id for one in (*of_orders, *of_payments)}
        with_ids = [one for one in self.stored() if one.event.event_id in ids]
        erased = [one for one in with_ids if one.has_body or one.notes]
        for one in erased:
            self.erased_note_keys.update(key for key in one.notes if key)
            one.has_body, one.notes = False, []
        return {one.order for one in erased if one.order in orders}

    def _without_conflict(self, stored: StoredEvent, decision: Decision) -> Decision:
        """At most one content under an ID has an effect."""
        stored.decision = decision
        has_effect = stored.reports or (stored.event.payment_status and decision == UNKNOWN_ORDER)
        others = [one for one in self.contents[stored.event.event_id] if one is not stored]
        stored.decision = OTHER_CONTENT if has_effect and any(one.reports for one in others) else decision
        return stored.decision

    def holds(self, order: Order) -> bool:
        """Whether a payment in progress, or money that needs review, keeps an order from expiring."""
        if not order.is_unpaid():
            return False
        events = [one for one in self.stored() if one.order is order]
        returned = [one for one in order.money.payments if one.gone >= one.amount]
        for one in events:
            needs_review = one.decision[0] == "needs_review" and one.event.payment_status == "paid"
            is_in_progress = one.decision == STARTED and not any(end.ends(one) for end in events)
            is_returned = any(payment in returned for payment in one.payments())
            if is_in_progress or (needs_review and not is_returned):
                return True
        return False
