"""The random requests and events that concern payments, refunds and disputes."""

import hashlib
import json
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from tests.api_client import expect
from tests.integration.books import Entry, order_of
from tests.integration.compared_shop import ComparedShop
from tests.integration.entities import MAX_TOTAL, NO_ORDER, Order, OrderTag
from tests.integration.events import Event
from tests.integration.money import CURRENCY, Refund, RefundLine
from tests.integration.money_requests import NewAcknowledgement, NewRefund, as_response, refused_status, set_status
from tests.integration.responses import assert_matches, expect_refusal
from tests.integration.strategies import (
    currencies,
    entries,
    keys,
    notes,
    open_refunds,
    order_tags,
    orders,
    orders_with_money,
    references,
    refund_lines,
    refunds,
    reported_refund_statuses,
    reports,
    stripe_events,
    unpaid_after_completion,
)

payment_numbers = st.sampled_from([1, 1, 2])
"""Which of the payments of an order."""
refund_currencies = st.sampled_from([CURRENCY] * 5 + ["EUR"])
refund_amounts = st.sampled_from(["all", "known", "known", "part", "part", "excess", "zero"])
processor_references = st.sampled_from([None, None, "re_1", "re_2"])
asked_amounts = st.sampled_from([None, None, "part", "part", "excess"])


class MoneyMachine(ComparedShop):
    """Draws what happens to the money."""

    def __init__(self) -> None:
        super().__init__()
        self.drawn_entries: list[Entry] = []

    def new_id(self) -> str:
        return f"event-{len(self.events)}"

    def known_refunds(self) -> list[Refund]:
        return [refund for order in self.model.orders for refund in order.money.refunds]

    def known_open_refunds(self) -> list[Refund]:
        return [refund for refund in self.known_refunds() if refund.is_open]

    def completed_and_unpaid(self) -> list[Order]:
        return [one for one in self.model.orders if (one.status, one.payment_status) == ("completed", "unpaid")]

    @precondition(lambda self: bool(self.completed_and_unpaid()))
    @rule(order=unpaid_after_completion, status=st.sampled_from(["charged", "charged", "failed"]))
    def report_a_payment_after_completion(self, order: Order, status: str) -> None:
        self.report(Event(self.new_id(), order, status, order.total, CURRENCY, reference_of(order, 1)))

    @rule(
        order=orders | orders_with_money,
        number=payment_numbers,
        form=st.sampled_from(["stripe", "stripe", "native", "without reference", "nameless"]),
        more=st.sampled_from(["0", "0", "0", "0", "0.01"]),
        currency=currencies,
        is_shared=st.sampled_from([False] * 4 + [True]),
    )
    def report_a_payment_of_the_processor(
        self, *, order: Order, number: int, form: str, more: str, currency: str | None, is_shared: bool
    ) -> None:
        """Some payments have the reference of a payment of another order."""
        reference = "pi_shared" if is_shared else reference_of(order, number)
        amount = None if currency is None else order.total + Decimal(more)
        event = Event(self.new_id(), order, "charged", amount, currency, reference)
        if form in ("native", "without reference"):
            own = reference if form == "native" else None
            event = Event(self.new_id(), order, "paid", amount, currency, own, scheme="x_signature")
        if form == "nameless":
            event = Event("", order, "paid", amount, currency, scheme="x_signature", is_named=False)
            digest = hashlib.sha256(json.dumps(event.body()).encode()).hexdigest()
            event = Event(digest, order, "paid", amount, currency, scheme="x_signature", is_named=False)
        self.report(event)

    @rule(
        order=orders_with_money,
        number=payment_numbers,
        status=reported_refund_statuses,
        refund_number=st.sampled_from([1, 2]),
        share=refund_amounts,
        names=st.sampled_from(["payment", "payment", "payment", "order", "both"]),
        scheme=st.sampled_from(["stripe", "stripe", "x_signature"]),
        currency=refund_currencies,
    )
    def report_a_refund_made_at_the_processor(
        self,
        *,
        order: Order,
        number: int,
        status: str,
        refund_number: int,
        share: str,
        names: str,
        scheme: str,
        currency: str,
    ) -> None:
        """It can arrive before its payment."""
        known = [refund.amount for refund in order.money.refunds][-1:]
        part = known[0] if known and share == "known" else Decimal(1)
        amount = {"all": order.total, "excess": order.total + 1, "zero": Decimal(0)}.get(share, part)
        self.report(
            Event(
                *(self.new_id(), None if names == "payment" else order, "refund", amount, currency),
                reference=None if names == "order" else known_reference(order, number, scheme),
                object_reference=f"re_{order.number}_{number}_{refund_number}",
                status=status,
                scheme=scheme,
            )
        )

    @precondition(lambda self: bool(self.known_refunds()))
    @rule(
        refund=refunds,
        status=reported_refund_statuses,
        is_named=st.booleans(),
        has_other_reference=st.sampled_from([False] * 5 + [True]),
        currency=refund_currencies,
        is_payment_known=st.sampled_from([True] * 5 + [False]),
        named_order=st.none() | st.none() | st.none() | orders,
    )
    def report_a_known_refund(
        self,
        *,
        refund: Refund,
        status: str,
        currency: str,
        is_named: bool,
        has_other_reference: bool,
        is_payment_known: bool,
        named_order: Order | None,
    ) -> None:
        """Rarely, the event names a payment or an order that the refund does not belong to."""
        payment = refund.payment
        reference = None if payment.scheme else payment.reference
        made = f"re_{payment.order.number}_{payment.refunds.index(refund)}"
        self.report(
            Event(
                *(self.new_id(), named_order or payment.order, "refund", refund.amount, currency),
                reference=reference if is_payment_known else "pi_unknown",
                object_reference="re_other" if has_other_reference else refund.reference or made,
                refund=refund if is_named else None,
                status=status,
            )
        )

    @precondition(lambda self: any(event.scheme == "stripe" for event in self.events))
    @rule(event=stripe_events, order=orders, report=reports, reference=references)
    def report_something_else_under_the_same_id(self, event: Event, order: Order, report: str, reference: str) -> None:
        is_about_order = report not in ("money", "nothing")
        is_native = report in ("paid", "failed", "unreadable")
        self.report(
            Event(
                event.event_id,
                order if is_about_order else None,
                report,
                reference=None if is_native or not is_about_order else reference,
            )
        )

    @rule(order=orders_with_money, number=payment_numbers, amount=st.sampled_from(["1", "2", "4.50"]))
    def report_the_total_of_refunds(self, order: Order, number: int, amount: str) -> None:
        reference = known_reference(order, number)
        self.report(Event(self.new_id(), None, "refund_total", Decimal(amount), CURRENCY, reference))

    @rule(
        order=orders_with_money,
        number=payment_numbers,
        status=st.sampled_from(["open", "open", "won", "lost"]),
        minute=st.integers(1, 4),
        amount=st.sampled_from([None, Decimal("1.00")]),
        scheme=st.sampled_from(["stripe", "x_signature"]),
    )
    def report_a_dispute(
        self, *, order: Order, number: int, status: str, minute: int, amount: Decimal | None, scheme: str
    ) -> None:
        self.report(
            Event(
                *(self.new_id(), None, "dispute", amount, CURRENCY, known_reference(order, number, scheme)),
                object_reference=f"dp_{order.number}" if scheme == "stripe" else None,
                status=status,
                minute=minute,
                scheme=scheme,
            )
        )

    @rule(
        order=orders_with_money,
        amount=asked_amounts,
        lines=refund_lines,
        names_payment=st.booleans(),
        payment_order=orders,
        reason=st.none() | notes,
        key=st.none() | keys,
    )
    def request_a_refund(
        self,
        *,
        order: Order,
        amount: str | None,
        lines: tuple[RefundLine, ...],
        payment_order: Order,
        reason: str | None,
        key: str | None,
        names_payment: bool,
    ) -> None:
        """Rarely, the payment is one of another order."""
        named = order.money.payments or payment_order.money.payments
        asked = None if amount is None else Decimal(1) if amount == "part" else min(order.total + 1, MAX_TOTAL)
        self.post(NewRefund(order, named[-1] if named and names_payment else None, asked, lines, reason), key)

    @precondition(lambda self: bool(self.order_tags))
    @rule(tag=order_tags)
    def request_a_refund_of_an_order_that_was_read_before(self, tag: OrderTag) -> None:
        self.post(NewRefund(tag[0], None, Decimal(1), tag=tag))

    @precondition(lambda self: bool(self.known_refunds()))
    @rule(
        refund=refunds,
        status=st.sampled_from(["pending", "succeeded", "failed", "canceled"]),
        reference=processor_references,
    )
    def set_the_status_of_a_refund(self, refund: Refund, status: str, reference: str | None) -> None:
        self.put_refund_status(refund, status, reference)

    @precondition(lambda self: bool(self.known_open_refunds()))
    @rule(refund=open_refunds)
    def claim_a_refund(self, refund: Refund) -> None:
        self.put_refund_status(refund, "pending", None)

    @precondition(lambda self: bool(self.known_open_refunds()))
    @rule(refund=open_refunds, status=st.sampled_from(["succeeded", "failed"]), reference=processor_references)
    def settle_a_refund(self, refund: Refund, status: str, reference: str | None) -> None:
        self.put_refund_status(refund, status, reference)

    @precondition(lambda self: bool(self.known_open_refunds()))
    @rule(refund=open_refunds)
    def cancel_a_refund(self, refund: Refund) -> None:
        self.put_refund_status(refund, "canceled", None)

    def put_refund_status(self, refund: Refund, status: str, reference: str | None) -> None:
        body = {"status": status, "processor_reference": reference}
        response = self.api.call("PUT", f"/api/refunds/{refund.id}/status", body)
        if not expect_refusal(response, refused_status(refund, status, reference)):
            set_status(refund, status, reference)
            self.seen[f"refund set to {status}"] += 1
            assert_matches(expect(200, response), as_response(refund))

    @rule(order=orders_with_money)
    def cancel_an_order_and_request_its_refund(self, order: Order) -> None:
        self.change_status(order, "canceled", refund=True)

    @precondition(lambda self: bool(self.model.books.entries()))
    @rule(entry=entries, note=notes, key=st.none() | keys)
    def acknowledge_a_mismatch(self, entry: Entry, note: str, key: str | None) -> None:
        self.drawn_entries.append(entry)
        # Without an order, no erasure can find the note.
        self.post(NewAcknowledgement(entry, note if order_of(entry) else "Not ours"), key)


def reference_of(order: Order, number: int) -> str:
    return f"pi_{order.number}_{number}" if order is not NO_ORDER else "pi_unknown"


def known_reference(order: Order, number: int, scheme: str = "stripe") -> str:
    """The reference of one of the payments of an order, or one that no event reported yet."""
    known = [one.reference for one in order.money.payments if one.reference and one.scheme in ("", scheme)]
    return known[number - 1] if number <= len(known) else reference_of(order, number)
