"""The payments of events that were stored by a release without payments: added later, each once, as if reported now."""

from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient
from tests.integration.races import Call, change_status, pay, report, two_at_once
from tests.integration.refund_events import refund_event
from tests.integration.stored_events import run

pytestmark = pytest.mark.usefixtures("expect_no_violations")


class Completion(Call):
    """Adds the payments of earlier events of an order, as a migration does."""

    def run(self, connection: Connection) -> str:
        connection.run("SELECT complete_payments(ARRAY[:id::uuid])", id=self.request["id"])
        return "completed"


def complete(order_id: str) -> Call:
    return Completion("complete_payments", {"id": order_id})


def forget_payments(database: Connection) -> None:
    """Leave what an earlier release stored. It called a second payment a duplicate."""
    database.run("DELETE FROM payments WHERE order_id IS NOT NULL")
    database.run("UPDATE orders SET paid_amount = 0, money_changes = 0")
    restate(database, "reason IN ('paid_twice', 'same_payment')", "duplicate", "same_status")


def restate(database: Connection, which: str, outcome: str, reason: str) -> None:
    """Let events have another outcome, as an earlier release decided it."""
    for table in ("payment_events", "order_events"):
        in_history(
            database,
            f"UPDATE {table} SET outcome = CAST(:outcome AS payment_event_outcome), reason = :reason WHERE {which}",
            outcome=outcome,
            reason=reason,
        )


def in_history(database: Connection, statement: str, **values: str) -> None:
    """Change what happened, although a timeline is append-only."""
    database.run("SET session_replication_role = replica")
    database.run(statement, **values)
    database.run("SET session_replication_role = DEFAULT")


def rows(database: Connection) -> list[list[Any]]:
    columns = "id::text, reference, event_scheme, amount, currency, reason, is_settled"
    return database.run(f"SELECT {columns} FROM payments ORDER BY received_at, reference, event_scheme") or []


def paid_amount(database: Connection, order_id: str) -> Any:
    [[amount]] = database.run("SELECT paid_amount FROM orders WHERE id = :id", id=order_id)
    return amount


SEQUENCES: dict[str, list[dict[str, Any]]] = {
    "with a reference": [{"payment_reference": "pi_1"}],
    "reported twice": [{"payment_reference": "pi_1"}, {"payment_reference": "pi_1", "amount": "4.50"}],
    "paid twice": [{"payment_reference": "pi_1"}, {"payment_reference": "pi_2"}],
    "without a reference": [{}],
    "another amount": [{"amount": "1.25"}],
    "another currency": [{"amount": "4.50", "currency": "EUR"}],
    "another amount, then the right one": [{"amount": "1"}, {"amount": "4.50"}],
    "an amount that cannot be read": [{"reason": "amount_unreadable"}],
    "the amount 0": [{"amount": "0"}],
}


@pytest.mark.parametrize("status", ["pending", "completed", "canceled"])
@pytest.mark.parametrize("events", SEQUENCES.values(), ids=SEQUENCES)
def test_earlier_payments_are_added_as_if_they_were_reported_now(
    database: Connection, order_id: str, status: str, events: list[dict[str, Any]]
) -> None:
    if status != "pending":
        change_status(order_id, status).run(database)
    for number, event in enumerate(events):
        pay(order_id, "paid", f"evt_{number}", is_named=True, **event).run(database)
    expected = rows(database), paid_amount(database, order_id)
    forget_payments(database)
    run(database, complete(order_id), complete(order_id))
    assert (rows(database), paid_amount(database, order_id)) == expected


def test_a_second_payment_is_found_although_the_first_was_not_added_yet(database: Connection, order_id: str) -> None:
    pay(order_id, "paid", "evt_1", payment_reference="pi_1").run(database)
    forget_payments(database)
    assert pay(order_id, "paid", "evt_2", payment_reference="pi_1").run(database) == "duplicate"
    assert pay(order_id, "paid", "evt_3", payment_reference="pi_2").run(database) == "needs_refund"
    assert [row[1] for row in rows(database)] == ["pi_1", "pi_2"]


def test_an_earlier_event_without_any_id_is_no_second_payment(database: Connection, order_id: str) -> None:
    nameless = {"order_id": order_id, "payment_status": "paid", "amount": "1"}
    pay(order_id, "paid", "evt_1", payment_reference="pi_1").run(database)
    run(database, *(report(digit * 64, **nameless, note=digit) for digit in "ab"))
    forget_payments(database)
    restate(database, "reason = 'payment_changed'", "needs_review", "amount_differs")
    complete(order_id).run(database)
    assert [row[1] for row in rows(database)] == ["pi_1"]


def test_two_earlier_events_without_any_id_are_one_payment(database: Connection, order_id: str) -> None:
    nameless = {"order_id": order_id, "payment_status": "paid", "amount": "1"}
    run(database, report("a" * 64, **nameless), report("b" * 64, **{**nameless, "scheme": "stripe"}))
    forget_payments(database)
    restate(database, "reason = 'same_status'", "needs_review", "amount_differs")
    complete(order_id).run(database)
    assert [row[1:3] for row in rows(database)] == [[None, "x_signature"]]


def test_a_refund_that_waits_for_a_payment_does_not_hide_one_of_an_earlier_release(
    database: Connection, order_id: str
) -> None:
    # After a rollback, the earlier release stores the payment.
    assert refund_event("evt_2", "succeeded", "evt_1", amount="1").run(database) == "ignored"
    pay(order_id, "paid", "evt_3").run(database)
    forget_payments(database)
    in_history(database, "UPDATE payment_events SET event_id = 'evt_1' WHERE event_id = 'evt_3'")
    in_history(database, "UPDATE order_events SET payment_event_id = 'evt_1' WHERE payment_event_id = 'evt_3'")
    complete(order_id).run(database)
    found = database.run("SELECT reference, refunded_amount FROM payments WHERE order_id IS NOT NULL")
    assert found == [["evt_1", 1]]
    assert database.run("SELECT refunded_amount, refund_status::text FROM orders") == [[1, "partial"]]


@pytest.mark.parametrize("named", [{}, {"payment_reference": "pi_1"}], ids=["by its event", "by its reference"])
def test_a_refund_finds_an_earlier_payment_that_was_not_added_yet(
    database: Connection, order_id: str, named: dict[str, str]
) -> None:
    pay(order_id, "paid", "evt_1", **named).run(database)
    forget_payments(database)
    refund = refund_event("evt_2", "succeeded", named.get("payment_reference", "evt_1"), amount="1")
    assert refund.run(database) == "applied"
    assert database.run("SELECT refunded_amount, refund_status::text FROM orders") == [[1, "partial"]]


def test_a_replay_of_an_earlier_second_payment_needs_a_refund(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    run(database, *(pay(order_id, "paid", f"evt_{n}", payment_reference=f"pi_{n}") for n in (1, 2)))
    forget_payments(database)
    [event] = api.items("/api/payment-events", event_id="evt_2")
    assert (event["outcome"], event["reason"]) == ("duplicate", "same_status")
    api.call("POST", f"/api/payment-events/{event['id']}/replay")
    [event] = api.items("/api/payment-events", event_id="evt_2")
    assert (event["outcome"], event["reason"]) == ("needs_refund", "paid_twice")
    assert [row[1] for row in rows(database)] == ["pi_1", "pi_2"]


@pytest.mark.parametrize("is_first", [True, False])
def test_a_payment_and_the_completion_at_the_same_time_count_each_payment_once(
    database: Connection, database_url: str, order_id: str, *, is_first: bool
) -> None:
    pay(order_id, "paid", "evt_1", payment_reference="pi_1").run(database)
    forget_payments(database)
    calls = [pay(order_id, "paid", "evt_2", payment_reference="pi_2"), complete(order_id)]
    assert set(two_at_once(database_url, *(calls if is_first else reversed(calls)))) == {"needs_refund", "completed"}
    assert [row[1] for row in rows(database)] == ["pi_1", "pi_2"]
    assert paid_amount(database, order_id) == 9


def test_the_first_payment_and_the_completion_at_the_same_time_count_each_payment_once(
    database: Connection, database_url: str, order_id: str
) -> None:
    pay(order_id, "paid", "evt_1", amount="1").run(database)
    forget_payments(database)
    assert two_at_once(database_url, pay(order_id, "paid", "evt_2"), complete(order_id)) == ("applied", "completed")
    assert paid_amount(database, order_id) == 5.5
