"""What the model's shop decides for each event: the outcome, and the reason if the event is not applied."""

from decimal import Decimal

from tests.integration.entities import NO_ORDER, Order
from tests.integration.events import Event
from tests.integration.money import CURRENCY, RANKS, Dispute, ReceivedPayment, Refund

Decision = tuple[str, str | None]

APPLIED: Decision = ("applied", None)
SAME_EVENT: Decision = ("duplicate", "same_event")
SAME_STATUS: Decision = ("duplicate", "same_status")
SAME_PAYMENT: Decision = ("duplicate", "same_payment")
OLDER_STATUS: Decision = ("ignored", "older_status")
OTHER_CONTENT: Decision = ("needs_review", "other_content")
PAYMENT_CHANGED: Decision = ("needs_review", "payment_changed")
PAYMENT_OF_OTHER_ORDER: Decision = ("needs_review", "payment_of_other_order")
REFUND_SET_TO_FAILED: Decision = ("needs_review", "refund_set_to_failed")
CURRENCY_DIFFERS: Decision = ("needs_review", "currency_differs")
UNKNOWN_ORDER: Decision = ("unknown_order", "unknown_order")
PAYMENT_UNKNOWN: Decision = ("ignored", "payment_unknown")
AMOUNT_UNREADABLE: Decision = ("needs_review", "amount_unreadable")
AMOUNT_ZERO: Decision = ("ignored", "amount_zero")
REFUND_TOTAL: Decision = ("ignored", "refund_total")
UNREADABLE: Decision = ("unreadable", "invalid")
WITHOUT_ORDER: Decision = ("ignored", "no_order_named")
STARTED: Decision = ("ignored", "payment_under_way")
ENDED: Decision = ("ignored", "payment_ended")

WITHOUT_PAYMENT = (OTHER_CONTENT, PAYMENT_CHANGED, PAYMENT_OF_OTHER_ORDER)
"""The decisions about received money that do not add a payment to the order."""


def first(rules: list[tuple[bool, Decision]]) -> Decision:
    return next((decision for applies, decision in rules if applies), APPLIED)


def decide(event: Event, known: ReceivedPayment | None, *, is_own: bool = False) -> Decision:
    """Decide an event that is not about a refund.

    known: the payment of the order that the event is about. is_own: whether this event was the first to report it.
    """
    order, report = event.order, event.report
    if report == "unreadable":
        return UNREADABLE
    if order is None:
        return WITHOUT_ORDER if report == "money" else ("ignored", "type_not_ours")
    if report == "ended":
        return ENDED
    if order is NO_ORDER or report == "started":
        return UNKNOWN_ORDER if order is NO_ORDER else STARTED
    return _decide_failure(order) if report == "failed" else _decide_payment(event, order, known, is_own=is_own)


def _decide_failure(order: Order) -> Decision:
    return first(
        [
            (order.payment_status == "paid", ("ignored", "order_paid")),
            (order.payment_status == "failed", SAME_STATUS),
            (order.status != "pending", ("ignored", "order_not_pending")),
        ]
    )


def _decide_report(event: Event, order: Order, known: ReceivedPayment) -> Decision:
    """Decide another event about a payment that is known. Only a corrected amount has an effect."""
    is_same = event.amount in (None, known.amount) and event.currency in (None, known.currency)
    can_pay = order.status == "pending" and order.payment_status != "paid"
    fits = (event.amount or known.amount, event.currency or known.currency) == (order.total, CURRENCY)
    # Refunds keep the currency of their payment.
    is_fixed = known.refunds != [] and known.currency != CURRENCY
    return first([(is_same, SAME_PAYMENT), (is_fixed or not (can_pay and fits), PAYMENT_CHANGED)])


def _decide_payment(event: Event, order: Order, known: ReceivedPayment | None, *, is_own: bool) -> Decision:
    if known and not is_own:
        return _decide_report(event, order, known)
    is_paid = order.payment_status == "paid"
    has_reference = event.is_named or event.reference is not None
    is_money = event.amount is None or event.amount > 0
    # Nothing was due, so a payment without an amount cannot be the one that was expected.
    expected = (order.total, None) if order.total > 0 else (order.total,)
    return first(
        [
            (known is not None and known.reason is None, SAME_PAYMENT),
            (order.status == "canceled" and not is_paid and is_money, ("needs_refund", "order_canceled")),
            (order.status == "canceled" and not is_money and order.total > 0, ("ignored", "not_paid")),
            (is_paid and order.total > 0 and is_money and has_reference, ("needs_refund", "paid_twice")),
            (event.amount not in expected, ("needs_review", "amount_differs")),
            (event.currency not in (None, CURRENCY), CURRENCY_DIFFERS),
            (is_paid, SAME_STATUS),
            (order.status == "completed", ("needs_review", "order_completed")),
        ]
    )


def decide_refund(
    event: Event, order: Order | None, payment: ReceivedPayment | None, refund: Refund | None
) -> Decision:
    """Decide an event about a refund or a dispute. payment, refund: what it is about, or None if that is unknown."""
    if payment is None:
        # A payment that is named can be one of another order.
        return UNKNOWN_ORDER if order is NO_ORDER and event.reference is None else PAYMENT_UNKNOWN
    if event.report == "refund_total":
        return REFUND_TOTAL
    if event.report == "dispute":
        return _decide_dispute(event, payment.disputes.get(event.object_reference))
    status = event.status or ""
    is_news = refund is not None and refund.status == "failed" and not refund.is_confirmed and status == "succeeded"
    is_newer = refund is None or RANKS.index(status) > RANKS.index(refund.status)
    is_first = refund is not None and refund.reference is None and event.object_reference is not None
    return first(
        [
            (event.currency not in (None, payment.currency), CURRENCY_DIFFERS),
            (refund is None and event.amount is None, AMOUNT_UNREADABLE),
            (event.amount == Decimal(0) and not (refund and status in ("canceled", "failed")), AMOUNT_ZERO),
            (is_news, REFUND_SET_TO_FAILED),
            (is_newer or is_first, APPLIED),
            (refund is not None and refund.status == status, SAME_STATUS),
            (True, OLDER_STATUS),
        ]
    )


def _decide_dispute(event: Event, dispute: Dispute | None) -> Decision:
    """The newest event counts. Of two at the same time, the end of the dispute does."""
    ends = ("open", "won", "lost")
    status, minute = event.status or "", event.minute or 0
    if dispute is None or (minute, ends.index(status)) > (dispute.changed, ends.index(dispute.status)):
        return APPLIED
    return SAME_STATUS if dispute.status == status else OLDER_STATUS


def matching_refund(event: Event, payment: ReceivedPayment, named: Refund | None) -> Refund | None:
    """The refund that an event is about: the one with its reference, the one it names, or the one request that fits."""
    for refund in payment.refunds:
        if event.object_reference and refund.reference == event.object_reference:
            return refund
    if named in payment.refunds:
        same = [one for one in (*named.made_instead, named) if not (one.reference and event.object_reference)]
        return next(iter(same), None)
    without = [one for one in payment.refunds if one.reference is None and one.amount == event.amount]
    requested = [one for one in without if one.is_open]
    # Staff may have set the refund to succeeded before the event arrived.
    is_success = event.status in ("pending", "succeeded")
    fitting = requested or [one for one in without if one.status == "succeeded" and (is_success or not one.is_ours)]
    return fitting[0] if len(fitting) == 1 else None


def payment_of(
    event: Event, order: Order, named: Refund | None, named_payment: ReceivedPayment | None
) -> ReceivedPayment | None:
    """The payment of an order that an event is about. A refund that is known stays with its payment."""

    def has_reference(one: ReceivedPayment) -> bool:
        return event.object_reference in [refund.reference for refund in one.refunds if refund.reference]

    def can_be(one: ReceivedPayment) -> bool:
        if named_payment:
            return one is named_payment
        return not event.reference or bool(one.scheme) or not one.reference

    candidates = [one for one in order.money.payments if has_reference(one) or can_be(one)]

    def unlikeliness(one: ReceivedPayment) -> tuple[bool, bool, int, bool, bool, bool, bool, int]:
        dispute = one.disputes.get(event.object_reference) if event.report == "dispute" else None
        if dispute and None not in (dispute.currency, event.currency) and dispute.currency != event.currency:
            dispute = None
        return (
            not has_reference(one),
            named not in one.refunds,
            2 if dispute is None else int(dispute.status != "open"),
            event.currency not in (None, one.currency),
            event.amount not in [refund.amount for refund in one.refunds if refund.is_open],
            one.amount - one.gone < (event.amount or 0),
            one.reason is None,
            one.received,
        )

    return min(candidates, key=unlikeliness, default=None)
