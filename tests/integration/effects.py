"""What events change in the money of the model's orders."""

from tests.integration.decisions import APPLIED, WITHOUT_PAYMENT, Decision
from tests.integration.entities import Order
from tests.integration.events import Event
from tests.integration.inbox_entry import StoredEvent
from tests.integration.money import RANKS, Dispute, ReceivedPayment, Refund, tick


def reference_of(event: Event) -> tuple[str, str]:
    """The reference of the payment that an event reports, or else the event's ID and scheme. Empty without both."""
    if event.payment_reference is not None:
        return event.payment_reference, ""
    return (event.event_id if event.is_named else ""), event.scheme


def is_received(event: Event, order: Order, decision: Decision) -> bool:
    """Whether an event reports money that the payments of its order must contain."""
    is_money = decision[0] in ("applied", "needs_refund", "needs_review")
    amount = order.total if event.amount is None else event.amount
    return event.payment_status == "paid" and is_money and amount > 0 and decision not in WITHOUT_PAYMENT


def report_refund(stored: StoredEvent, payment: ReceivedPayment, refund: Refund | None) -> Refund:
    """Apply what the processor reports about a refund. Return the refund."""
    event, status, now = stored.event, stored.event.status or "", tick()
    before = refund and (refund.status, refund.amount)
    if refund is None:
        # A refund that is requested after a failure can make up for it, in whatever order the events arrive.
        refund = Refund(payment, event.amount or payment.amount, status, is_ours=False, requested=stored.reported)
        payment.refunds.append(refund)
    if not refund.is_ours:
        refund.requested = min(refund.requested, stored.reported)
    if refund.status != "failed" or before is None:
        # What was requested before the failure was known does not make up for it.
        others = [one for one in payment.order.money.refunds if one is not refund]
        ours = [one.requested for one in others if one.is_ours and refund.is_ours]
        refund.updated = max([stored.reported, *ours]) if status == "failed" else now
    refund.status = max(refund.status, status, key=RANKS.index)
    refund.is_confirmed |= status in ("succeeded", "failed")
    refund.amount = event.amount or refund.amount
    refund.reference = refund.reference or event.object_reference
    payment.order.money.change(is_fact=refund.is_final and before != (refund.status, refund.amount))
    return refund


def add_made_refund(event: Event, failed: Refund) -> None:
    """Count a refund that succeeded after staff set it to failed as another one, which gets the reference."""
    payment, reference = failed.payment, event.object_reference
    if failed.reference == reference:
        failed.reference = None
    made = Refund(payment, event.amount or failed.amount, "succeeded", reference, is_ours=failed.is_ours)
    made.is_confirmed = True
    payment.refunds.append(made)
    failed.made_instead.append(made)
    payment.order.money.change(is_fact=True)


def report_dispute(event: Event, payment: ReceivedPayment, decision: Decision) -> None:
    """Apply what the processor reports about a dispute. An older event can bring the amount."""
    status, minute, name = event.status or "", event.minute or 0, event.object_reference
    before = (dispute := payment.disputes.get(name)) and (dispute.status, dispute.amount)
    if dispute is None:
        dispute = payment.disputes[name] = Dispute(payment, f"dispute {name} of {payment.name}", status, minute)
    if decision == APPLIED:
        dispute.status, dispute.changed = status, minute
    if event.amount is not None:
        dispute.amount, dispute.currency = event.amount, event.currency
    is_fact = before != (dispute.status, dispute.amount)
    payment.order.money.change(is_fact=is_fact, is_shown=False)


def cancel_named_request(named: Refund, made: Refund) -> None:
    """Cancel an open request that an event names, if its refund was counted as one made at the processor before."""
    is_same = named.payment is made.payment and named is not made
    if is_same and named.is_open and named.reference is None and not made.is_ours:
        named.status, named.updated = "canceled", tick()
        order = named.payment.order
        order.record(
            "refund", actor="payment-processor", refund=named, refund_status="canceled", reason="made_at_processor"
        )
        order.money.change(is_fact=False)
