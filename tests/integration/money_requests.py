"""The requests of staff that concern money: refunds and acknowledgements."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from tests.api_client import UNKNOWN
from tests.integration.books import ALREADY_ACKNOWLEDGED, NOT_LISTED, Entry, order_of
from tests.integration.entities import (
    MAX_INTEGER,
    NO_ORDER,
    NUMBER_OUT_OF_RANGE,
    ORDER_NOT_FOUND,
    STALE_ETAG,
    Body,
    Order,
    OrderTag,
    Refusal,
)
from tests.integration.inbox_entry import StoredEvent
from tests.integration.model import Model, Request
from tests.integration.money import CURRENCY, RANKS, ReceivedPayment, Refund, RefundLine, tick

ITEM_NOT_FOUND: Refusal = (404, "order-item-not-found")
PAYMENT_NOT_FOUND: Refusal = (404, "payment-not-found")
PAYMENT_DISPUTED: Refusal = (409, "payment-disputed")
REFERENCE_TAKEN: Refusal = (409, "processor-reference-taken")
REFUND_CONFLICT: Refusal = (409, "refund-conflict")
INVALID_REQUEST: Refusal = (422, "invalid-request")
REFUND_TOO_LARGE: Refusal = (422, "refund-too-large")
SEVERAL_PAYMENTS: Refusal = (422, "several-payments")
TOO_MANY_UNITS: Refusal = (422, "too-many-units")


@dataclass(frozen=True)
class NewRefund(Request):
    """A request for a refund. tag: the ETag that the caller read before."""

    operation: ClassVar[str] = "refund"

    order: Order
    payment: ReceivedPayment | None
    amount: Decimal | None = None
    lines: tuple[RefundLine, ...] = ()
    reason: str | None = None
    tag: OrderTag | None = field(default=None, compare=False)

    def path(self) -> str:
        return f"/api/orders/{self.order.id}/refunds"

    def body(self) -> Body:
        sent = {"payment_id": self.payment and self.payment.id, "amount": self.amount and str(self.amount)}
        return {**sent, "reason": self.reason, "lines": self._lines_as_json() or None}

    def headers(self) -> dict[str, str]:
        return {"if-match": self.tag[2]} if self.tag else {}

    def refusal(self, model: Model) -> Refusal | None:  # noqa: ARG002  only the order matters
        order = self.order
        if order is NO_ORDER:
            return ORDER_NOT_FOUND
        if self.tag and self.tag[1] != order.version:
            return STALE_ETAG
        if self.payment and self.payment.order is not order:
            return PAYMENT_NOT_FOUND
        if len(self._candidates()) > 1:
            return SEVERAL_PAYMENTS
        # Without money left, an open dispute is the reason for the refusal.
        if any(payment.is_disputed for payment in self._candidates() or order.money.payments):
            return PAYMENT_DISPUTED
        return self._refused_lines() or self._refused_amount()

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:  # noqa: ARG002  only the order matters
        [payment] = self._candidates()
        refund = Refund(payment, self._wanted(), "requested", id=response["id"], reason=self.reason, lines=self.lines)
        payment.refunds.append(refund)
        for line in self.lines:
            if line.restock:
                self.order.line_items[line.item].product.move(line.quantity)
        self.order.record("refund", refund=refund, refund_status="requested", idempotency_key=key)
        self.order.money.change(is_fact=False)
        return as_response(refund)

    def _candidates(self) -> list[ReceivedPayment]:
        if self.payment:
            return [self.payment]
        return [payment for payment in self.order.money.payments if payment.left > 0]

    def _refused_lines(self) -> Refusal | None:
        items = self.order.line_items
        if any(line.item >= len(items) for line in self.lines):
            return ITEM_NOT_FOUND
        for number, item in enumerate(items):
            lines = [line for line in self.lines if line.item == number]
            back = sum(line.quantity for line in lines if line.restock)
            is_back = self.order.status == "canceled"
            in_stock = item.quantity if is_back else self.order.money.units_returned(number)
            if sum(line.quantity for line in lines) > item.quantity or (back and back > item.quantity - in_stock):
                return TOO_MANY_UNITS
        return None

    def _refused_amount(self) -> Refusal | None:
        is_in_other_currency = any(payment.currency != CURRENCY for payment in self._candidates())
        if self.amount is None and self.lines and is_in_other_currency:
            return INVALID_REQUEST
        if not 0 < self._wanted() <= sum(payment.left for payment in self._candidates()):
            return REFUND_TOO_LARGE
        products = [(self.order.line_items[line.item].product, line) for line in self.lines if line.restock]
        is_out_of_range = any(product.quantity + line.quantity > MAX_INTEGER for product, line in products)
        return NUMBER_OUT_OF_RANGE if is_out_of_range else None

    def _wanted(self) -> Decimal:
        if self.amount is not None:
            return self.amount
        if self.lines:
            prices = (self.order.line_items[line.item].price * line.quantity for line in self.lines)
            return sum(prices, Decimal(0))
        return sum((payment.left for payment in self._candidates()), Decimal(0))

    def _lines_as_json(self) -> list[Body]:
        return [_line_as_json(self.order, line) for line in self.lines]


def _line_as_json(order: Order, line: RefundLine) -> Body:
    item_id = order.item_ids[line.item] if line.item < len(order.item_ids) else UNKNOWN
    return {"order_item_id": item_id, "quantity": line.quantity, "restock": line.restock}


def as_response(refund: Refund) -> Body:
    order, lines = refund.payment.order, sorted(refund.lines, key=lambda line: (line.item, line.restock))
    return {
        "id": refund.id,
        "order_id": order.id,
        "payment_reference": refund.payment.reference,
        "amount": f"{refund.amount:.2f}",
        "currency": refund.payment.currency,
        "status": refund.status,
        "reason": refund.reason,
        "processor_reference": refund.reference,
        "lines": [_line_as_json(order, line) for line in lines],
    }


def refused_status(refund: Refund, status: str, reference: str | None) -> Refusal | None:
    """The refusal that a change of a refund by staff gets, if any."""
    is_later = refund.is_open and RANKS.index(status) > RANKS.index(refund.status)
    is_returned = (refund.status, status) == ("succeeded", "failed")
    if not (is_later or is_returned or (refund.status == status != "pending")):
        return REFUND_CONFLICT
    if status == "pending" and refund.payment.is_disputed:
        return PAYMENT_DISPUTED
    payment = refund.payment
    claimed = sum(one.amount for one in payment.refunds if one.status == "pending")
    if status == "pending" and payment.gone + claimed + refund.amount > payment.amount:
        return REFUND_CONFLICT
    taken = [one.reference for one in payment.refunds if one is not refund]
    has_other = reference is not None and refund.reference not in (None, reference)
    return REFERENCE_TAKEN if has_other or (reference is not None and reference in taken) else None


def set_status(refund: Refund, status: str, reference: str | None) -> None:
    order, before = refund.payment.order, (refund.status, refund.reference)
    if before != (status, refund.reference or reference):
        refund.status, refund.reference, refund.updated = status, refund.reference or reference, tick()
        refund.is_confirmed |= status == "succeeded"
        order.record("refund", refund=refund, refund_status=status)
        order.money.change(is_fact=refund.is_final and before[0] != status)


def has_dispute(order: Order) -> bool:
    return any(payment.is_disputed for payment in order.money.payments)


def refund_everything(order: Order) -> None:
    """Request a refund of each payment, as a cancellation can."""
    payments = [payment for payment in order.money.payments if payment.left > 0]
    for payment in payments:
        refund = Refund(payment, payment.left, "requested")
        payment.refunds.append(refund)
        order.record("refund", refund=refund, refund_status="requested")
    if payments:
        order.money.change(is_fact=False)


@dataclass(frozen=True)
class NewAcknowledgement(Request):
    operation: ClassVar[str] = "acknowledgement"

    entry: Entry
    note: str

    def path(self) -> str:
        return f"/api/reconciliation/{self.entry.kind}/{self.entry.about.id}/acknowledgement"

    def body(self) -> Body:
        return {"note": self.note}

    def refusal(self, model: Model) -> Refusal | None:
        if self.entry not in model.books.entries():
            return NOT_LISTED
        return ALREADY_ACKNOWLEDGED if model.books.is_acknowledged(self.entry) else None

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:  # noqa: ARG002  only the entry matters
        order = order_of(self.entry)
        model.books.acknowledged[model.books.version(self.entry)] = order is not None
        if order:
            refund = self.entry.about if isinstance(self.entry.about, Refund) else None
            order.record("acknowledgement", reason=self.entry.kind, refund=refund, note=self.note, idempotency_key=key)
        elif isinstance(self.entry.about, StoredEvent):
            self.entry.about.notes.append(key)
        return {"kind": self.entry.kind, "id": self.entry.about.id, "acknowledgement": {"note": self.note}}
