"""Each payment event takes effect once, whatever happens at the same time."""

import json
from collections import Counter
from functools import partial
from itertools import chain
from random import Random
from typing import Any, get_args

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from storefront.payments.signatures import Scheme
from tests.api_client import UNKNOWN, ApiClient
from tests.integration.load_clients import Delivery, all_at_once, deliver
from tests.integration.races import ACTOR, Call, change_status, expire, make_due, pay, place, replay, two_at_once
from tests.integration.stored_events import TEST_MODE
from tests.sizes import DELIVERED_EVENTS, SEED

WORKERS = 16


def inbox_rows(database: Connection) -> list[list[Any]]:
    """Each event in the inbox, with its outcome and its attempts."""
    columns = "event_id, variant, payment_status::text, outcome::text, attempts"
    return database.run(f"SELECT {columns} FROM payment_events ORDER BY event_id, variant") or []


def inbox_id(database: Connection) -> str:
    """The inbox ID of the first event."""
    return str(database.run("SELECT id FROM payment_events ORDER BY received_at LIMIT 1")[0][0])


def test_an_event_that_is_delivered_twice_at_once_is_applied_once(
    database: Connection, database_url: str, order_id: str
) -> None:
    event = pay(order_id, "paid")
    assert two_at_once(database_url, event, event) == ("applied", "duplicate")
    assert inbox_rows(database) == [["evt_paid", 0, "paid", "applied", 2]]
    assert violations(database) == []


def test_concurrent_events_with_one_id_and_two_contents_apply_the_first(
    database: Connection, database_url: str, order_id: str
) -> None:
    events = pay(order_id, "failed", "evt_1"), pay(order_id, "paid", "evt_1")
    assert two_at_once(database_url, *events) == ("applied", "needs_review")
    assert inbox_rows(database) == [["evt_1", 0, "failed", "applied", 1], ["evt_1", 1, "paid", "needs_review", 1]]
    assert violations(database) == []


def test_concurrent_events_with_one_id_for_two_orders_apply_the_first(
    api: ApiClient, database: Connection, database_url: str, order_id: str
) -> None:
    other = api.order((api.create_product()["id"], 1))["id"]
    events = pay(order_id, "paid", "evt_1"), pay(other, "paid", "evt_1")
    assert two_at_once(database_url, *events) == ("applied", "needs_review")
    assert [api.get(f"/api/orders/{id_}").json["payment_status"] for id_ in (order_id, other)] == ["paid", "unpaid"]
    assert violations(database) == []


def test_two_concurrent_events_with_other_content_are_both_stored(
    api: ApiClient, database: Connection, database_url: str, order_id: str
) -> None:
    pay(order_id, "failed", "evt_1").run(database)
    others = [api.order((api.create_product()["id"], 1))["id"] for _ in range(2)]
    one, two = (pay(id_, "paid", "evt_1") for id_ in others)
    assert two_at_once(database_url, one, two) == ("needs_review", "needs_review")
    assert [variant for _, variant, *_ in inbox_rows(database)] == [0, 1, 2]
    assert violations(database) == []


def test_an_event_for_an_unknown_order_that_is_delivered_twice_at_once_is_stored_once(
    database: Connection, database_url: str
) -> None:
    event = pay(UNKNOWN, "paid")
    assert two_at_once(database_url, event, event) == ("unknown_order", "unknown_order")
    assert inbox_rows(database) == [["evt_paid", 0, "paid", "unknown_order", 2]]


def replay_of_ignored_event(database: Connection, order_id: str) -> Call:
    """A replay of an event that was ignored while the payment mode was set wrong."""
    assert pay(order_id, "paid", **TEST_MODE).run(database) == "ignored"
    return replay(inbox_id(database))


def test_concurrent_replays_apply_an_event_once(database: Connection, database_url: str, order_id: str) -> None:
    again = replay_of_ignored_event(database, order_id)
    assert two_at_once(database_url, again, again) == ("applied", "duplicate")
    assert inbox_rows(database) == [["evt_paid", 0, "paid", "applied", 3]]
    assert violations(database) == []


def test_a_delivery_that_waited_for_a_replay_is_a_duplicate(
    database: Connection, database_url: str, order_id: str
) -> None:
    again = replay_of_ignored_event(database, order_id)
    assert two_at_once(database_url, again, pay(order_id, "paid", livemode=False)) == ("applied", "duplicate")
    assert inbox_rows(database) == [["evt_paid", 0, "paid", "applied", 3]]
    assert violations(database) == []


def test_a_replay_that_waited_for_a_cancellation_needs_a_refund(
    database: Connection, database_url: str, order_id: str
) -> None:
    again = replay_of_ignored_event(database, order_id)
    assert two_at_once(database_url, change_status(order_id, "canceled"), again) == ("changed", "needs_refund")
    assert violations(database) == []


def test_a_replay_of_an_event_that_is_being_corrected_must_be_repeated(
    database: Connection, database_url: str, order_id: str
) -> None:
    pay(UNKNOWN, "paid", "evt_1").run(database)
    again = replay(inbox_id(database))
    serialization_failure = "40001"
    assert two_at_once(database_url, pay(order_id, "paid", "evt_1"), again) == ("applied", serialization_failure)
    assert again.run(database) == "duplicate"
    assert inbox_rows(database) == [["evt_1", 0, "paid", "applied", 3]]
    assert violations(database) == []


def money(database: Connection, order_id: str) -> list[Any]:
    """The paid amount of an order, and the reference and the reason of each of its payments."""
    [[paid]] = database.run("SELECT paid_amount::text FROM orders WHERE id = :id", id=order_id)
    found = database.run(
        "SELECT reference, reason FROM payments WHERE order_id = :id ORDER BY received_at", id=order_id
    )
    return [paid, *map(tuple, found or [])]


def test_two_events_about_one_payment_at_once_are_one_payment(
    database: Connection, database_url: str, order_id: str
) -> None:
    events = (pay(order_id, "paid", event_id, payment_reference="pi_1") for event_id in ("evt_1", "evt_2"))
    assert two_at_once(database_url, *events) == ("applied", "duplicate")
    assert money(database, order_id) == ["4.50", ("pi_1", None)]
    assert violations(database) == []


def test_of_two_payments_of_an_order_at_once_one_pays_and_one_needs_a_refund(
    database: Connection, database_url: str, order_id: str
) -> None:
    events = (pay(order_id, "paid", f"evt_{n}", payment_reference=f"pi_{n}") for n in (1, 2))
    assert two_at_once(database_url, *events) == ("applied", "needs_refund")
    assert money(database, order_id) == ["9.00", ("pi_1", None), ("pi_2", "paid_twice")]
    assert violations(database) == []


@pytest.mark.parametrize("is_canceled", [False, True])
def test_one_payment_that_is_reported_for_two_orders_at_once_belongs_to_the_first(
    database: Connection, database_url: str, order_id: str, other_order_id: str, *, is_canceled: bool
) -> None:
    if is_canceled:
        change_status(other_order_id, "canceled").run(database)
    first = pay(order_id, "paid", "evt_1", payment_reference="pi_1")
    second = pay(other_order_id, "paid", "evt_2", payment_reference="pi_1")
    # Their orders differ, so only the reference makes the second one wait.
    assert two_at_once(database_url, first, second) == ("applied", "needs_review")
    assert (money(database, order_id), money(database, other_order_id)) == (["4.50", ("pi_1", None)], ["0"])
    assert database.run("SELECT reason FROM payment_events WHERE event_id = 'evt_2'") == [["payment_of_other_order"]]
    assert violations(database) == []


def test_a_wrong_amount_and_its_correction_at_once_are_one_payment(
    database: Connection, database_url: str, order_id: str
) -> None:
    events = [pay(order_id, "paid", f"evt_{a}", payment_reference="pi_1", amount=a) for a in ("1", "4.50")]
    assert two_at_once(database_url, *events) == ("needs_review", "applied")
    assert money(database, order_id) == ["4.50", ("pi_1", None)]
    assert violations(database) == []


def test_a_replay_and_another_payment_at_once_are_both_counted(
    database: Connection, database_url: str, order_id: str
) -> None:
    again = replay_of_ignored_event(database, order_id)
    assert two_at_once(database_url, again, pay(order_id, "paid", "evt_2")) == ("applied", "needs_refund")
    assert money(database, order_id) == ["9.00", ("evt_paid", None), ("evt_2", "paid_twice")]
    assert violations(database) == []


@pytest.mark.parametrize("status", ["canceled", "completed"])
@pytest.mark.parametrize("is_paid_first", [True, False])
def test_a_payment_that_races_with_a_status_change_is_counted_once(
    database: Connection, database_url: str, order_id: str, status: str, *, is_paid_first: bool
) -> None:
    payment, change = pay(order_id, "paid"), change_status(order_id, status)
    if is_paid_first:
        assert two_at_once(database_url, payment, change) == ("applied", "changed")
        assert money(database, order_id) == ["4.50", ("evt_paid", None)]
    else:
        outcome = "needs_refund" if status == "canceled" else "needs_review"
        assert two_at_once(database_url, change, payment) == ("changed", outcome)
        assert money(database, order_id) == ["4.50", ("evt_paid", f"order_{status}")]
    assert violations(database) == []


@pytest.mark.parametrize("is_paid_first", [True, False])
def test_a_payment_that_races_with_the_expiry_is_counted_once(
    database: Connection, database_url: str, order_id: str, *, is_paid_first: bool
) -> None:
    make_due(database)
    if is_paid_first:
        # The expiry skips an order that is being paid.
        assert two_at_once(database_url, pay(order_id, "paid"), expire(), waits=False) == ("applied", "expired")
        assert money(database, order_id) == ["4.50", ("evt_paid", None)]
    else:
        assert two_at_once(database_url, expire(), pay(order_id, "paid")) == ("expired", "needs_refund")
        assert money(database, order_id) == ["4.50", ("evt_paid", "order_canceled")]
    assert violations(database) == []


@pytest.mark.long
def test_events_that_are_delivered_one_to_five_times_are_applied_once(
    api: ApiClient, database: Connection, database_url: str
) -> None:
    count = DELIVERED_EVENTS.chosen
    tea = api.create_product(quantity=count)["id"]
    request = json.dumps({**place((tea, 1)).request, **ACTOR})
    database.run("SET statement_timeout = 0")
    database.run(f"SELECT place_order('{request}') FROM generate_series(1, {count})")
    order_ids = [id_ for [id_] in database.run("SELECT id::text FROM orders ORDER BY id") or []]
    random = Random(SEED)
    events = [
        Delivery(order_id, random.choice(["paid", "failed"]), f"evt_{order_id}", random.choice(get_args(Scheme)))
        for order_id in order_ids
    ]
    deliveries = [event for event in events for _ in range(random.randint(1, 5))]
    random.shuffle(deliveries)

    shares = [partial(deliver, deliveries[n::WORKERS]) for n in range(WORKERS)]
    outcomes = Counter(chain(*all_at_once(database_url, shares)))

    assert outcomes == {"applied": count, "duplicate": len(deliveries) - count}
    paid = {event.order_id for event in events if event.payment_status == "paid"}
    found = database.run("SELECT id::text, payment_status::text FROM orders") or []
    assert {id_ for id_, status in found if status == "paid"} == paid
    assert {id_ for id_, status in found if status == "failed"} == set(order_ids) - paid
    assert database.run(
        "SELECT count(*), sum(attempts), min(outcome::text), max(outcome::text) FROM payment_events"
    ) == [[count, len(deliveries), "applied", "applied"]]
    assert violations(database) == []
