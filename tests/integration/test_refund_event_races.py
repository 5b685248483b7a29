"""No refund or dispute event is lost, whatever happens at the same time."""

from typing import NamedTuple

import pytest
from pg8000.native import Connection

from tests.integration.races import Call, erase, pay, refund, replay, set_refund, two_at_once
from tests.integration.refund_events import dispute_event, refund_event, refund_total, requested
from tests.integration.stored_events import run

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def payment(order_id: str, event_id: str = "evt_paid", reference: str | None = "pi_1") -> Call:
    return pay(order_id, "paid", event_id, amount="4.50", currency="USD", payment_reference=reference)


def returned(event_id: str = "evt_refund", payment_reference: str | None = "pi_1", **fields: str) -> Call:
    """An event about a refund of 3.00."""
    return refund_event(event_id, "succeeded", payment_reference, **{"reference": "re_1", "amount": "3", **fields})


def refunds(database: Connection) -> list[tuple[str, str, str]]:
    """Each refund: its reference, its status and its amount."""
    columns = "processor_reference, status::text, amount::text"
    rows = database.run(f"SELECT {columns} FROM refunds ORDER BY processor_reference, amount") or []
    return [(reference, status, amount) for reference, status, amount in rows]


def money(database: Connection) -> list[tuple[str, str, str]]:
    """The amounts of each order: received, refunded and lost."""
    rows = database.run(
        "SELECT paid_amount::text, refunded_amount::text, lost_amount::text FROM orders ORDER BY number"
    )
    return [(paid, refunded, lost) for paid, refunded, lost in rows or []]


REFUNDED = [("re_1", "succeeded", "3")]


@pytest.mark.parametrize("names_order", [True, False], ids=["names its order", "names its payment"])
def test_a_refund_that_waits_for_its_payment_sees_it(
    database: Connection, database_url: str, order_id: str, *, names_order: bool
) -> None:
    event = returned(**({"order_id": order_id} if names_order else {}))
    assert two_at_once(database_url, payment(order_id), event) == ("applied", "applied")
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0")])


@pytest.mark.parametrize("names_order", [True, False], ids=["names its order", "names its payment"])
def test_a_payment_that_waits_for_its_refund_sees_it(
    database: Connection, database_url: str, order_id: str, *, names_order: bool
) -> None:
    event = returned(**({"order_id": order_id} if names_order else {}))
    assert two_at_once(database_url, event, payment(order_id)) == ("ignored", "applied")
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0")])


@pytest.mark.parametrize("names_order", [True, False], ids=["names its order", "names its payment"])
def test_a_payment_that_waits_for_its_second_refund_sees_both(
    database: Connection, database_url: str, order_id: str, *, names_order: bool
) -> None:
    assert returned().run(database) == "ignored"
    named = {"order_id": order_id} if names_order else {}
    second = refund_event("evt_other", "succeeded", "pi_1", "re_2", amount="1", **named)
    assert two_at_once(database_url, second, payment(order_id)) == ("ignored", "applied")
    assert (refunds(database), money(database)) == ([*REFUNDED, ("re_2", "succeeded", "1")], [("4.50", "4", "0")])


@pytest.mark.parametrize("is_first", [True, False])
def test_a_refund_that_names_only_its_order_and_its_payment_find_each_other(
    database: Connection, database_url: str, order_id: str, *, is_first: bool
) -> None:
    calls = returned(payment_reference=None, order_id=order_id), payment(order_id, reference=None)
    two_at_once(database_url, *(calls if is_first else reversed(calls)))
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0")])


def test_two_refunds_of_a_payment_that_is_not_reported_yet_both_wait(
    database: Connection, database_url: str, order_id: str
) -> None:
    other = refund_event("evt_other", "succeeded", "pi_1", "re_2", amount="1")
    assert two_at_once(database_url, returned(), other) == ("ignored", "ignored")
    assert payment(order_id).run(database) == "applied"
    assert (refunds(database), money(database)) == ([*REFUNDED, ("re_2", "succeeded", "1")], [("4.50", "4", "0")])


@pytest.mark.parametrize("status", ["pending", "succeeded"])
def test_two_events_about_one_new_refund_add_it_once(
    database: Connection, database_url: str, order_id: str, status: str
) -> None:
    payment(order_id).run(database)
    other = refund_event("evt_other", status, "pi_1", "re_1", amount="3")
    assert two_at_once(database_url, returned(), other)[0] == "applied"
    assert refunds(database) == REFUNDED


def test_an_event_that_is_delivered_twice_at_once_is_applied_once(
    database: Connection, database_url: str, order_id: str
) -> None:
    payment(order_id).run(database)
    assert two_at_once(database_url, returned(), returned()) == ("applied", "duplicate")
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0")])


def replay_of_waiting_event(database: Connection) -> Call:
    [[id_]] = database.run("SELECT id::text FROM payment_events WHERE reason = 'payment_unknown'")
    return replay(id_)


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("again", ["delivered", "replayed"])
@pytest.mark.parametrize("names_order", [True, False], ids=["names its order", "names its payment"])
def test_a_waiting_event_that_is_processed_again_with_its_payment_is_applied_once(
    database: Connection, database_url: str, order_id: str, again: str, *, is_first: bool, names_order: bool
) -> None:
    event = returned(**({"order_id": order_id} if names_order else {}))
    assert event.run(database) == "ignored"
    second = event if again == "delivered" else replay_of_waiting_event(database)
    calls = payment(order_id), second
    outcomes = two_at_once(database_url, *(calls if is_first else reversed(calls)))
    # After another session has found the order of the event, a replay is refused and repeated.
    assert set(outcomes) <= {"applied", "ignored", "duplicate", "40001"}
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0")])
    assert database.run("SELECT outcome::text FROM payment_events WHERE event_id = 'evt_refund'") == [["applied"]]


def test_a_payment_of_another_order_than_the_event_names_finds_the_event(
    database: Connection, database_url: str, order_id: str, other_order_id: str
) -> None:
    event = returned(order_id=other_order_id)
    assert two_at_once(database_url, event, payment(order_id)) == ("ignored", "applied")
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0"), ("0", "0", "0")])


def test_an_event_finds_a_payment_of_another_order_than_it_names(
    database: Connection, database_url: str, order_id: str, other_order_id: str
) -> None:
    event = returned(order_id=other_order_id)
    assert two_at_once(database_url, payment(order_id), event) == ("applied", "applied")
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0"), ("0", "0", "0")])


def test_two_events_that_name_their_refunds_and_each_other_s_order_are_applied(
    database: Connection, database_url: str, order_id: str, other_order_id: str
) -> None:
    orders = {order_id: other_order_id, other_order_id: order_id}
    events = []
    for number, (id_, other) in enumerate(orders.items()):
        payment(id_, f"evt_paid_{number}", f"pi_{number}").run(database)
        [refund_id] = requested(database, id_, "3")
        named = {"order_id": other, "refund_id": refund_id, "reference": f"re_{number}"}
        events.append(returned(f"evt_{number}", None, **named))
    assert two_at_once(database_url, *events, waits=False) == ("applied", "applied")
    by_order = "SELECT r.processor_reference FROM refunds r JOIN orders o ON o.id = r.order_id ORDER BY o.number"
    assert database.run(by_order) == [["re_0"], ["re_1"]]
    assert money(database) == [("4.50", "3", "0")] * 2


def test_two_payments_that_bring_two_contents_under_one_event_id_apply_one(
    database: Connection, database_url: str, order_id: str, other_order_id: str
) -> None:
    contents = [returned("evt_1", f"pi_{n}", reference=f"re_{n}") for n in (1, 2)]
    assert run(database, *contents) == ["ignored", "ignored"]
    payments = payment(order_id, "evt_2"), payment(other_order_id, "evt_3", "pi_2")
    assert two_at_once(database_url, *payments) == ("applied", "applied")
    assert refunds(database) == REFUNDED
    outcomes = database.run(
        "SELECT outcome::text, reason FROM payment_events WHERE event_id = 'evt_1' ORDER BY variant"
    )
    assert outcomes == [["applied", None], ["needs_review", "other_content"]]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_dispute_and_a_request_for_a_refund_that_race_both_count_or_the_request_is_refused(
    database: Connection, database_url: str, order_id: str, *, is_first: bool
) -> None:
    payment(order_id).run(database)
    calls = dispute_event("evt_dispute", "open", "pi_1"), refund(order_id, amount="1")
    outcomes = two_at_once(database_url, *(calls if is_first else reversed(calls)))
    assert outcomes == (("applied", "payment_disputed") if is_first else ("created", "applied"))


@pytest.mark.parametrize("is_first", [True, False])
def test_a_dispute_and_a_claim_that_race_both_count_or_the_claim_is_refused(
    database: Connection, database_url: str, order_id: str, *, is_first: bool
) -> None:
    payment(order_id).run(database)
    [refund_id] = requested(database, order_id, "1")
    calls = dispute_event("evt_dispute", "open", "pi_1"), set_refund(refund_id, "pending")
    outcomes = two_at_once(database_url, *(calls if is_first else reversed(calls)))
    assert outcomes == (("applied", "payment_disputed") if is_first else ("changed", "applied"))


@pytest.mark.parametrize("is_first", [True, False])
def test_an_event_and_a_claim_of_its_refund_that_race_end_in_one_state(
    database: Connection, database_url: str, order_id: str, *, is_first: bool
) -> None:
    payment(order_id).run(database)
    [refund_id] = requested(database, order_id, "3")
    calls = returned(refund_id=refund_id), set_refund(refund_id, "pending")
    outcomes = two_at_once(database_url, *(calls if is_first else reversed(calls)))
    assert outcomes == (("applied", "invalid_transition") if is_first else ("changed", "applied"))
    assert refunds(database) == REFUNDED


class Backfill(NamedTuple):
    """The migration that adds the payments of earlier events."""

    order_id: str

    def run(self, connection: Connection) -> str:
        [[count]] = connection.run("SELECT complete_payments(ARRAY[:id]::uuid[])", id=self.order_id)
        return f"{count} added"


@pytest.fixture
def earlier_payment(database: Connection, order_id: str) -> str:
    """An order whose payment an earlier release received."""
    payment(order_id).run(database)
    forget_payments(database)
    return order_id


def forget_payments(database: Connection) -> None:
    database.run("DELETE FROM payments WHERE order_id IS NOT NULL")
    database.run("UPDATE orders SET paid_amount = 0, money_changes = 0")


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("names_order", [True, False], ids=["names its order", "names its payment"])
def test_a_refund_and_the_migration_that_adds_its_payment_find_each_other(
    database: Connection, database_url: str, earlier_payment: str, *, is_first: bool, names_order: bool
) -> None:
    event = returned(**({"order_id": earlier_payment} if names_order else {}))
    calls = event, Backfill(earlier_payment)
    two_at_once(database_url, *(calls if is_first else reversed(calls)))
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0")])


@pytest.mark.parametrize("names_order", [True, False], ids=["names its order", "names its payment"])
def test_a_payment_that_an_earlier_release_received_after_its_refund_finds_the_refund(
    database: Connection, order_id: str, *, names_order: bool
) -> None:
    event = returned(**({"order_id": order_id} if names_order else {}))
    assert run(database, event, refund_total("evt_total", "pi_1", "3")) == ["ignored", "ignored"]
    # A release before this one, after a rollback to it, does not store the payment.
    database.run("UPDATE payment_events SET reason = 'type_not_ours' WHERE reason = 'payment_unknown'")
    payment(order_id).run(database)
    database.run("UPDATE payment_events SET reason = 'payment_unknown' WHERE reason = 'type_not_ours'")
    database.run("UPDATE payments SET id = gen_random_uuid(), order_id = NULL, amount = NULL")
    database.run("UPDATE orders SET paid_amount = 0, money_changes = 0")
    assert Backfill(order_id).run(database) == "1 added"
    assert (refunds(database), money(database)) == (REFUNDED, [("4.50", "3", "0")])


@pytest.mark.parametrize("is_first", [True, False])
def test_an_erasure_and_a_waiting_refund_that_race_leave_no_body(
    database: Connection, database_url: str, order_id: str, *, is_first: bool
) -> None:
    payment(order_id).run(database)
    calls = returned(), erase()
    two_at_once(database_url, *(calls if is_first else reversed(calls)))
    assert database.run("SELECT FROM payment_events WHERE body IS NOT NULL") == []
    assert refunds(database) == REFUNDED


def test_the_migration_adds_a_payment_that_two_orders_name_once(
    database: Connection, order_id: str, other_order_id: str
) -> None:
    # An earlier release applied both.
    for number, id_ in enumerate((order_id, other_order_id)):
        payment(id_, f"evt_{number}", f"pi_{number}").run(database)
    forget_payments(database)
    database.run("UPDATE payment_events SET payment_reference = 'pi_1'")
    database.run("SELECT complete_payments(ARRAY(SELECT id FROM orders))")
    assert database.run("SELECT count(*) FROM payments WHERE order_id IS NOT NULL") == [[1]]
