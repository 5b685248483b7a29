"""The events about a payment, its refunds and its disputes end in one state, in whatever order they arrive."""

from collections.abc import Iterator
from itertools import permutations
from math import factorial
from random import Random

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient
from tests.integration.races import Call, erase, pay, place, replay
from tests.integration.refund_events import dispute_event, refund_event, refund_total, requested
from tests.integration.refund_scenarios import SCENARIOS, Payment, Scenario, State
from tests.sizes import SEED

ORDERS_OF_EVENTS = 120
"""All orders of five events."""

RANDOM_ORDERS = 24
"""Of more events."""

REPEATED_ORDERS = 2
"""In so many of 24 orders, each event is delivered and replayed again at the end."""

OUTCOMES = ("applied", "duplicate", "ignored", "needs_review")


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
