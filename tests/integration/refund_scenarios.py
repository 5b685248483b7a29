"""Events about a payment, its refunds and its disputes, with the state in which they end."""

from collections.abc import Callable
from typing import Any, NamedTuple

from tests.integration.races import Call, pay
from tests.integration.refund_events import dispute_event, refund_event, refund_total

Events = Callable[["Payment"], list[Call]]


class Payment(NamedTuple):
    """What the events of one order name."""

    order_id: str
    number: int
    requested: tuple[str, ...] = ()

    @property
    def reference(self) -> str:
        return f"pi_{self.number}"

    def paid(self, name: str = "paid", amount: str = "100", **fields: Any) -> Call:
        named = {"payment_reference": self.reference, "amount": amount, "currency": "USD", **fields}
        return pay(self.order_id, "paid", f"evt_{self.number}_{name}", **named)

    def refund(self, reference: str, status: str, amount: str | None = "30", **fields: Any) -> Call:
        event_id = f"evt_{self.number}_{reference}_{status}_{amount}"
        named = {"payment": self.reference, "reference": f"{reference}_{self.number}", "amount": amount}
        return refund_event(event_id, status, **{**named, **fields})

    def refund_at(self, second: int, reference: str, status: str, **fields: Any) -> Call:
        return self.refund(reference, status, occurred_at=f"2026-01-01T00:00:{second:02}Z", **fields)

    def total(self, amount: str) -> Call:
        return refund_total(f"evt_{self.number}_total_{amount}", self.reference, amount)

    def dispute(self, status: str, second: int, amount: str | None = "100", **fields: Any) -> Call:
        named = {"amount": amount, "occurred_at": f"2026-01-01T00:00:{second:02}Z", **fields}
        return dispute_event(
            f"evt_{self.number}_dp_{status}_{second}", status, self.reference, f"dp_{self.number}", **named
        )


class State(NamedTuple):
    """An order with its money. refunds: by the processor's reference. kinds: of its reconciliation entries."""

    paid: int = 100
    refunded: int = 0
    lost: int = 0
    refund_status: str = "none"
    refunds: tuple[str, ...] = ()
    disputes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()


class Scenario(NamedTuple):
    """requests: the amounts of refunds that are requested before the events."""

    name: str
    events: Events
    state: State
    requests: tuple[str, ...] = ()


SCENARIOS = [
    Scenario(
        "a refund and its total",
        lambda one: [
            one.paid(),
            one.refund("re_1", "pending"),
            one.refund("re_1", "succeeded"),
            one.total("30"),
        ],
        State(refunded=30, refund_status="partial", refunds=("re_1 succeeded 30",)),
    ),
    Scenario(
        "a refund that failed after it succeeded",
        lambda one: [
            one.paid(),
            one.refund("re_1", "pending"),
            one.refund("re_1", "succeeded"),
            one.refund("re_1", "failed"),
            one.total("30"),
        ],
        State(refunds=("re_1 failed 30",), kinds=("refund_failed",)),
    ),
    Scenario(
        "a refund that was canceled, with its total",
        lambda one: [
            one.paid(),
            one.refund("re_1", "pending"),
            one.refund("re_1", "canceled"),
            one.total("30"),
        ],
        State(refunds=("re_1 canceled 30",)),
    ),
    Scenario(
        "a refund that succeeded after it was canceled",
        lambda one: [one.paid(), one.refund("re_1", "canceled"), one.refund("re_1", "succeeded")],
        State(refunded=30, refund_status="partial", refunds=("re_1 succeeded 30",)),
    ),
    Scenario(
        "a refund whose later events have no amount",
        lambda one: [
            one.paid(),
            one.refund("re_1", "pending"),
            one.refund("re_1", "succeeded", amount=None),
            one.refund("re_1", "failed", amount=None),
        ],
        State(refunds=("re_1 failed 30",), kinds=("refund_failed",)),
    ),
    Scenario(
        "two refunds of the same amount",
        lambda one: [
            one.paid(),
            *(one.refund(name, status) for name in ("re_1", "re_2") for status in ("pending", "succeeded")),
            one.total("30"),
            one.total("60"),
        ],
        State(refunded=60, refund_status="partial", refunds=("re_1 succeeded 30", "re_2 succeeded 30")),
    ),
    Scenario(
        "two refunds of the same amount that were requested",
        lambda one: [
            *(
                one.refund(name, status, refund_id=id_)
                for name, id_ in zip(("re_1", "re_2"), one.requested, strict=True)
                for status in ("pending", "succeeded")
            ),
            one.total("60"),
        ],
        State(refunded=60, refund_status="partial", refunds=("re_1 succeeded 30", "re_2 succeeded 30")),
        requests=("30", "30"),
    ),
    Scenario(
        "two refunds of the same amount, one of which was requested",
        lambda one: [one.refund(name, status) for name in ("re_1", "re_2") for status in ("pending", "succeeded")],
        State(refunded=60, refund_status="partial", refunds=("re_1 succeeded 30", "re_2 succeeded 30")),
        requests=("30",),
    ),
    Scenario(
        "a requested refund that failed, and another one in its place",
        lambda one: [
            one.refund_at(1, "re_1", "pending", refund_id=one.requested[0]),
            one.refund_at(2, "re_1", "failed", refund_id=one.requested[0]),
            one.refund_at(3, "re_2", "pending"),
            one.refund_at(4, "re_2", "succeeded"),
        ],
        State(refunded=30, refund_status="partial", refunds=("re_1 failed 30", "re_2 succeeded 30")),
        requests=("30",),
    ),
    Scenario(
        "two refunds that were only reported as failed, and a later one that is too small for both",
        lambda one: [
            one.paid(),
            one.refund_at(1, "re_1", "failed"),
            one.refund_at(2, "re_2", "failed", amount="20"),
            one.refund_at(3, "re_3", "succeeded", amount="20"),
        ],
        State(
            refunded=20,
            refund_status="partial",
            refunds=("re_1 failed 30", "re_2 failed 20", "re_3 succeeded 20"),
            kinds=("refund_failed",),
        ),
    ),
    Scenario(
        "a refund that failed, and an earlier one that succeeded later",
        lambda one: [
            one.paid(),
            one.refund_at(1, "re_1", "pending"),
            one.refund_at(2, "re_2", "pending"),
            one.refund_at(3, "re_1", "failed"),
            one.refund_at(4, "re_2", "succeeded"),
        ],
        State(
            refunded=30,
            refund_status="partial",
            refunds=("re_1 failed 30", "re_2 succeeded 30"),
            kinds=("refund_failed",),
        ),
    ),
    Scenario(
        "a refund of another amount than the requested one",
        lambda one: [one.refund("re_1", "pending", "80"), one.refund("re_1", "succeeded", "80"), one.total("80")],
        State(
            refunded=80,
            refund_status="pending",
            refunds=("re_1 succeeded 80", "requested requested 30"),
            kinds=("over_refunded",),
        ),
        requests=("30",),
    ),
    Scenario(
        "a dispute that was won, opened again and lost, and a refund of the rest",
        lambda one: [
            one.paid(),
            one.dispute("open", 1, "70"),
            one.dispute("won", 2, "70"),
            one.dispute("open", 3, "70"),
            one.dispute("lost", 4, "70"),
            one.refund("re_1", "succeeded"),
        ],
        State(refunded=30, lost=70, refund_status="partial", refunds=("re_1 succeeded 30",), disputes=("lost 70",)),
    ),
    Scenario(
        "a refund whose events name only the order",
        lambda one: [
            one.paid(payment_reference=None),
            one.refund("re_1", "pending", payment_reference=None, order_id=one.order_id),
            one.refund("re_1", "succeeded", payment_reference=None, order_id=one.order_id),
            one.dispute("won", 1, payment_reference=None, order_id=one.order_id),
        ],
        State(refunded=30, refund_status="partial", refunds=("re_1 succeeded 30",), disputes=("won 100",)),
    ),
    Scenario(
        "a refund whose events name the payment's event",
        lambda one: [
            one.paid(payment_reference=None),
            one.refund_at(1, "re_1", "pending", payment_reference=f"evt_{one.number}_paid"),
            one.refund_at(3, "re_1", "failed", payment_reference=f"evt_{one.number}_paid"),
            one.refund_at(2, "re_2", "succeeded", payment_reference=f"evt_{one.number}_paid", order_id=one.order_id),
        ],
        State(
            refunded=30,
            refund_status="partial",
            refunds=("re_1 failed 30", "re_2 succeeded 30"),
            kinds=("refund_failed",),
        ),
    ),
    Scenario(
        "a lost dispute whose last event has no amount",
        lambda one: [
            one.paid(),
            one.dispute("open", 1, "60"),
            one.dispute("open", 2, "70"),
            one.dispute("lost", 3, None),
        ],
        State(lost=70, disputes=("lost 70",)),
    ),
    Scenario(
        "a dispute that opens and ends within a second",
        lambda one: [one.paid(), one.dispute("open", 1), one.dispute("won", 1)],
        State(disputes=("won 100",)),
    ),
    Scenario(
        "a lost dispute and a full refund",
        lambda one: [
            one.paid(),
            one.dispute("open", 1),
            one.dispute("lost", 2),
            one.refund("re_1", "succeeded", "100"),
        ],
        State(
            refunded=100,
            lost=100,
            refund_status="full",
            refunds=("re_1 succeeded 100",),
            disputes=("lost 100",),
            kinds=("over_refunded",),
        ),
    ),
    Scenario(
        "two reports of a payment, everything about its refund, and a dispute",
        lambda one: [
            one.paid(),
            one.paid("session"),
            one.refund("re_1", "pending", "100"),
            one.refund("re_1", "succeeded", "100"),
            one.refund("re_1", "failed", "100"),
            one.refund("re_2", "pending", "100"),
            one.refund("re_2", "succeeded", "100"),
            one.total("100"),
            one.dispute("open", 1),
            one.dispute("won", 2),
        ],
        State(
            refunded=100,
            refund_status="full",
            refunds=("re_1 failed 100", "re_2 succeeded 100"),
            disputes=("won 100",),
        ),
    ),
]
