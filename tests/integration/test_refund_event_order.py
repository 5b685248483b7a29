"""The events about a payment, its refunds and its disputes end in one state, in whatever order they arrive."""

from collections.abc import Callable, Iterator
from itertools import permutations
from math import factorial
from random import Random
from typing import Any, NamedTuple

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.races import Call, erase, pay, place, replay
from tests.integration.refund_events import dispute_event, refund_event, refund_total, requested
from tests.sizes import SEED

ORDERS_OF_EVENTS = 120
"""All orders of five events."""

RANDOM_ORDERS = 24
"""Of more events."""

REPEATED_ORDERS = 2
"""In so many of 24 orders, each event is delivered and replayed again at the end."""

OUTCOMES = ("applied", "duplicate", "ignored", "needs_review")

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


def states(database: Connection) -> dict[str, State]:
    rows = database.run("""
        SELECT o.id::text, o.paid_amount::integer, o.refunded_amount::integer, o.lost_amount::integer,
               o.refund_status::text,
               ARRAY(SELECT concat_ws(' ', regexp_replace(coalesce(r.processor_reference, 'requested'), '_[0-9]+$', ''),
                                      r.status, trim_scale(r.amount))
                       FROM refunds r WHERE r.order_id = o.id ORDER BY 1),
               ARRAY(SELECT concat_ws(' ', d.status, trim_scale(d.amount)) FROM disputes d WHERE d.order_id = o.id
                      ORDER BY 1)
          FROM orders o""")
    kinds: dict[str, list[str]] = {}
    for order_id, kind in database.run("SELECT order_id::text, kind FROM reconciliation ORDER BY kind") or []:
        # The reader of the reconciliation decides how long is too long.
        if kind not in ("pending_too_long", "refund_stuck"):
            kinds.setdefault(order_id, []).append(kind)
    return {
        order_id: State(paid, refunded, lost, status, tuple(refunds), tuple(disputes), tuple(kinds.get(order_id, [])))
        for order_id, paid, refunded, lost, status, refunds, disputes in rows or []
    }


def orders_of(events: int) -> Iterator[tuple[int, ...]]:
    """All orders of the events, or random ones if there are too many."""
    if factorial(events) <= ORDERS_OF_EVENTS:
        yield from permutations(range(events))
    else:
        random = Random(SEED)
        yield from (tuple(random.sample(range(events), events)) for _ in range(RANDOM_ORDERS))


@pytest.fixture
def product_id(api: ApiClient) -> str:
    return str(api.create_product(price="100", quantity=len(SCENARIOS) * ORDERS_OF_EVENTS)["id"])


def prepared(database: Connection, product_id: str, number: int, requests: tuple[str, ...]) -> Payment:
    """An order of 100.00. If refunds are requested, its payment arrived before."""
    assert place((product_id, 1)).run(database) == "placed"
    [[order_id]] = database.run("SELECT id::text FROM orders ORDER BY number DESC LIMIT 1")
    one = Payment(order_id, number)
    if requests:
        assert one.paid().run(database) == "applied"
        one = one._replace(requested=tuple(requested(database, order_id, *requests)))
    return one


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_events_end_in_one_state_in_whatever_order_they_arrive(
    database: Connection, product_id: str, scenario: Scenario
) -> None:
    ends: dict[str, tuple[int, ...]] = {}
    repeated: list[Call] = []
    count = len(scenario.events(Payment("", 0, ("",) * len(scenario.requests))))
    for number, order in enumerate(orders_of(count)):
        one = prepared(database, product_id, number, scenario.requests)
        events = scenario.events(one)
        for position in order:
            assert events[position].run(database) in OUTCOMES, order
        ends[one.order_id] = order
        repeated += events if number % (RANDOM_ORDERS // REPEATED_ORDERS) == 0 else []
    found = states(database)
    assert {order: found[id_] for id_, order in ends.items() if found[id_] != scenario.state} == {}

    events_and_replays = [*repeated, *replays(database, repeated)]
    Random(SEED).shuffle(events_and_replays)
    for call in events_and_replays:
        call.run(database)
    assert states(database) == found
    assert violations(database) == []


def replays(database: Connection, events: list[Call]) -> list[Call]:
    ids = [call.request["event_id"] for call in events]
    rows = database.run("SELECT id::text FROM payment_events WHERE event_id = ANY (:ids) ORDER BY event_id", ids=ids)
    return [replay(id_) for [id_] in rows or []]


@pytest.mark.parametrize("kind", ["total", "dispute"])
def test_an_event_about_no_refund_names_no_refund_with_the_same_amount(
    database: Connection, order_id: str, kind: str
) -> None:
    pay(order_id, "paid", "evt_1", payment_reference="pi_1").run(database)
    requested(database, order_id, "3")
    event = {
        "total": refund_total("evt_2", "pi_1", "3"),
        "dispute": dispute_event("evt_2", "open", "pi_1", amount="3"),
    }[kind]
    for _ in range(2):
        event.run(database)
    assert database.run("SELECT DISTINCT refund_id FROM payment_events WHERE event_id = 'evt_2'") == [[None]]
    assert database.run("SELECT DISTINCT refund_id FROM order_events WHERE payment_event_id = 'evt_2'") == [[None]]


def test_a_native_refund_with_stripe_s_signature_names_its_payment_by_the_id_of_an_event(
    database: Connection, order_id: str
) -> None:
    assert pay(order_id, "paid", "evt_1", scheme="stripe").run(database) == "applied"
    assert refund_event("evt_2", "succeeded", "evt_1", scheme="stripe", amount="3").run(database) == "applied"


def test_a_refund_that_waited_for_the_event_of_an_erased_order_has_no_body(database: Connection, order_id: str) -> None:
    refund_event("evt_2", "succeeded", "evt_1", amount="3").run(database)
    erase().run(database)
    pay(order_id, "paid", "evt_1").run(database)
    assert database.run("SELECT outcome::text, body FROM payment_events WHERE event_id = 'evt_2'") == [
        ["applied", None]
    ]
    assert violations(database) == []


def test_a_refund_of_stripe_never_names_a_payment_by_the_id_of_an_event(database: Connection, order_id: str) -> None:
    refund_event("evt_2", "succeeded", "evt_1", scheme="stripe", provider="stripe", amount="3").run(database)
    for event_id in ("evt_1", "evt_3"):
        pay(order_id, "paid", event_id, scheme="stripe").run(database)
    assert database.run("SELECT reason FROM payment_events WHERE event_id = 'evt_2'") == [["payment_unknown"]]
