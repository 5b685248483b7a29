"""The money of the model's orders: payments, refunds and disputes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.integration.entities import Order
    from tests.integration.inbox_entry import StoredEvent

CURRENCY = "USD"

RANKS = ("requested", "pending", "canceled", "succeeded", "failed")
"""The statuses of a refund. Events only move it to a later one, so that they can arrive in any order."""

tick: Callable[[], int] = count().__next__
"""The next time. Each change has its own."""


class Named:
    """Shows its name where Hypothesis shows a failed example."""

    name: str

    def __repr__(self) -> str:
        return self.name

    def _repr_pretty_(self, printer: Any, _: object) -> None:
        printer.text(self.name)


class RefundLine(NamedTuple):
    """Units of a line item, which is the position in the order."""

    item: int
    quantity: int
    restock: bool


@dataclass(eq=False, repr=False)
class Refund(Named):
    """A refund of a payment. id: as the database shows it after the step."""

    payment: "ReceivedPayment"
    amount: Decimal
    status: str
    reference: str | None = None
    id: str | None = None
    reason: str | None = None
    lines: tuple[RefundLine, ...] = ()
    is_ours: bool = True
    """Whether the shop requested it. Otherwise, it was made at the processor."""
    is_confirmed: bool = False
    """Whether anybody said that it succeeded, or the processor that it failed."""
    made_instead: list["Refund"] = field(default_factory=list)
    """What succeeded at the processor after staff set this refund to failed."""
    requested: int = field(default_factory=tick)
    updated: int = field(default_factory=tick)

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"refund {self.payment.refunds.index(self) + 1} of {self.payment.name}"

    @property
    def is_open(self) -> bool:
        return self.status in ("requested", "pending")

    @property
    def is_final(self) -> bool:
        return self.status in ("succeeded", "failed")


@dataclass(eq=False, repr=False)
class Dispute(Named):
    """A dispute of a payment. changed: the time of the newest event. amount: None for the whole payment."""

    payment: "ReceivedPayment"
    name: str
    status: str
    changed: int
    amount: Decimal | None = None
    currency: str | None = None
    id: str | None = None

    @property
    def lost_amount(self) -> Decimal:
        is_known = self.amount is not None and self.currency == self.payment.currency
        amount = self.amount if is_known else self.payment.amount
        return Decimal(amount or 0) if self.status == "lost" else Decimal(0)


@dataclass(eq=False, repr=False)
class ReceivedPayment(Named):
    """A payment of an order. event: its first report. scheme: empty if the processor named the payment."""

    event: "StoredEvent"
    order: "Order"
    reference: str | None
    scheme: str
    amount: Decimal
    currency: str
    reason: str | None
    refunds: list[Refund] = field(default_factory=list)
    disputes: dict[str | None, Dispute] = field(default_factory=dict)
    reported_refunds: Decimal = Decimal(0)
    """The largest total of refunds that the processor reported."""

    @property
    def id(self) -> str:
        return self.event.id

    @property
    def received(self) -> int:
        """When the event was first delivered, which may have been without the order."""
        return self.event.received

    def is_reported_by(self, stored: "StoredEvent") -> bool:
        is_named = not self.scheme and self.reference is not None and self.reference == stored.event.payment_reference
        return self.event is stored or (is_named and self.order is stored.order)

    @property
    def name(self) -> str:  # type: ignore[override]
        return f"payment {self.reference} of {self.order.name}"

    def sum_of(self, *statuses: str) -> Decimal:
        return sum((refund.amount for refund in self.refunds if refund.status in statuses), Decimal(0))

    @property
    def open_amount(self) -> Decimal:
        return self.sum_of("requested", "pending")

    @property
    def refunded_amount(self) -> Decimal:
        return self.sum_of("succeeded")

    @property
    def known_refunds(self) -> Decimal:
        """What the processor counts, too. Without a reference, a refund was canceled or failed before it got there."""
        ended = [one.amount for one in self.refunds if one.status in ("canceled", "failed") and one.reference]
        return self.sum_of("pending", "succeeded") + sum(ended)

    @property
    def lost_amount(self) -> Decimal:
        return sum((dispute.lost_amount for dispute in self.disputes.values()), Decimal(0))

    @property
    def gone(self) -> Decimal:
        """What the shop does not have any more."""
        return self.refunded_amount + self.lost_amount

    @property
    def left(self) -> Decimal:
        """The amount that can still be refunded."""
        return max(Decimal(0), self.amount - self.gone - self.open_amount)

    @property
    def is_disputed(self) -> bool:
        return any(dispute.status == "open" for dispute in self.disputes.values())

    def values(self) -> list[Any]:
        """What the database has of the payment, for a comparison."""
        sums = (self.open_amount, self.refunded_amount, self.lost_amount, self.known_refunds, self.reported_refunds)
        return [self.reference, self.amount, self.currency, self.reason, *sums]


@dataclass
class Money:
    """The money of an order."""

    payments: list[ReceivedPayment] = field(default_factory=list)
    """Sorted by the time when they were received."""
    facts: int = 0
    """How often money moved, or an event reported that it did. An acknowledgement covers the facts until then."""
    version: int = 0
    """Increases with every change that a response for the order shows."""

    def change(self, *, is_fact: bool, is_shown: bool = True) -> None:
        self.facts += is_fact
        self.version += is_shown

    @property
    def refunds(self) -> list[Refund]:
        return [refund for payment in self.payments for refund in payment.refunds]

    def in_currency(self) -> list[ReceivedPayment]:
        return [payment for payment in self.payments if payment.currency == CURRENCY]

    @property
    def paid(self) -> Decimal:
        return sum((payment.amount for payment in self.in_currency()), Decimal(0))

    @property
    def refunded(self) -> Decimal:
        return sum((payment.refunded_amount for payment in self.in_currency()), Decimal(0))

    @property
    def kept(self) -> Decimal:
        """What the shop has of the money."""
        return self.paid - sum((payment.gone for payment in self.in_currency()), Decimal(0))

    @property
    def under_way(self) -> Decimal:
        """The refunds that the processor is making."""
        return sum((payment.sum_of("pending") for payment in self.in_currency()), Decimal(0))

    @property
    def refund_status(self) -> str:
        if any(refund.is_open for refund in self.refunds):
            return "pending"
        if not any(payment.refunded_amount for payment in self.payments):
            return "none"
        is_full = all(payment.refunded_amount >= payment.amount for payment in self.payments)
        return "full" if is_full else "partial"

    def units_returned(self, item: int) -> int:
        lines = (line for refund in self.refunds for line in refund.lines)
        return sum(line.quantity for line in lines if line.restock and line.item == item)
