"""An erasure and another change at the same time: no personal data is left, and nothing is lost."""

from collections.abc import Callable
from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient
from tests.integration.races import (
    Call,
    acknowledge,
    add_note,
    change_status,
    erase,
    once,
    pay,
    place,
    refund,
    replay,
    report,
    report_refund,
    two_at_once,
    unreadable,
)

pytestmark = pytest.mark.usefixtures("expect_no_violations")

CONTACT = {"email": "ada@example.com", "note": "Ring twice.", "metadata": {"gift": "for Bob"}}


@pytest.fixture
def tea(api: ApiClient) -> str:
    return str(api.create_product(quantity=100)["id"])


@pytest.fixture
def order_id(api: ApiClient, tea: str) -> str:
    body = {"customer_id": 1, "products": [{"product_id": tea, "quantity": 1}], **CONTACT}
    return str(api.call("POST", "/api/orders", body).json["id"])


def new_order(tea: str) -> Call:
    call = place((tea, 1))
    return Call(call.function, {**call.request, **CONTACT})


def row(database: Connection, columns: str, table: str) -> list[Any]:
    [found] = database.run(f"SELECT {columns} FROM {table}") or []
    return list(found)


def causes(database: Connection) -> list[str]:
    rows = database.run("SELECT cause::text FROM order_events ORDER BY id") or []
    return [cause for [cause] in rows]


def bodies(database: Connection) -> list[str | None]:
    return [body for [body] in database.run("SELECT body FROM payment_events ORDER BY event_id, variant") or []]


def test_of_two_erasures_at_once_the_second_changes_nothing(
    database: Connection, database_url: str, order_id: str
) -> None:
    assert order_id
    assert two_at_once(database_url, erase(), erase()) == ("erased", "erased")
    assert causes(database) == ["placed", "erasure"]


def test_an_order_that_is_being_placed_is_a_later_order(database: Connection, database_url: str, tea: str) -> None:
    assert two_at_once(database_url, new_order(tea), erase(), waits=False) == ("placed", "erased")
    assert row(database, "email, personal_data_erased_at", "orders") == ["ada@example.com", None]
    assert erase().run(database) == "erased"
    assert row(database, "email, personal_data_erased_at IS NULL", "orders") == [None, False]


def test_an_erasure_does_not_delay_a_new_order(
    database: Connection, database_url: str, order_id: str, tea: str
) -> None:
    assert two_at_once(database_url, erase(), new_order(tea), waits=False) == ("erased", "placed")
    found = database.run("SELECT id::text = :id, email FROM orders ORDER BY created_at", id=order_id)
    assert found == [[True, None], [False, "ada@example.com"]]


def test_a_retry_during_an_erasure_places_no_second_order(database: Connection, database_url: str, tea: str) -> None:
    order = once(new_order(tea), "k")
    assert order.run(database) == "placed"
    assert two_at_once(database_url, erase(), order, waits=False) == ("erased", "replayed")
    [body] = row(database, "body", "idempotency_keys")
    assert "ada@example.com" not in body


def test_an_erasure_waits_for_a_note_and_erases_it(database: Connection, database_url: str, order_id: str) -> None:
    assert two_at_once(database_url, once(add_note(order_id), "k"), erase()) == ("created", "erased")
    assert database.run("SELECT cause::text, note FROM order_events WHERE cause = 'note'") == [["note", None]]
    assert "Ada called" not in row(database, "body", "idempotency_keys")[0]
    assert causes(database) == ["placed", "note", "erasure"]


def test_a_note_that_waited_for_an_erasure_is_a_later_note(
    database: Connection, database_url: str, order_id: str
) -> None:
    assert two_at_once(database_url, erase(), add_note(order_id)) == ("erased", "created")
    assert causes(database) == ["placed", "erasure", "note"]


def refund_of(order_id: str) -> Call:
    """A request for a refund, with a reason and a key."""
    return once(refund(order_id, reason="Ada sent it back."), "k")


def unpaid_entry(order_id: str) -> Call:
    """An acknowledgement of the order as not paid, with a note and a key."""
    return once(acknowledge("completed_and_unpaid", order_id), "k")


@pytest.mark.parametrize("erases_first", [True, False])
@pytest.mark.parametrize(
    ("prepared", "change", "text"),
    [
        (lambda id_: pay(id_, "paid"), refund_of, "reason FROM refunds"),
        (lambda id_: change_status(id_, "completed"), unpaid_entry, "note FROM acknowledgements"),
    ],
    ids=["refund", "acknowledgement"],
)
def test_an_erasure_blanks_only_what_staff_wrote_before(
    database: Connection,
    database_url: str,
    order_id: str,
    *,
    prepared: Callable[[str], Call],
    change: Callable[[str], Call],
    text: str,
    erases_first: bool,
) -> None:
    prepared(order_id).run(database)
    calls = (erase(), change(order_id)) if erases_first else (change(order_id), erase())
    assert "erased" in two_at_once(database_url, *calls)
    [[kept]] = database.run(f"SELECT {text}") or []
    assert (kept is not None) == erases_first
    assert ("Ada" in row(database, "body", "idempotency_keys")[0]) == erases_first
    # A later erasure blanks it, too.
    assert erase().run(database) == "erased"
    assert database.run(f"SELECT {text}") == [[None]]
    assert "Ada" not in row(database, "body", "idempotency_keys")[0]


@pytest.mark.parametrize("erases_first", [True, False])
def test_a_refund_event_that_waited_for_its_payment_loses_its_body(
    database: Connection, order_id: str, *, erases_first: bool
) -> None:
    early = report_refund("evt_r", "succeeded", "1", payment_reference="pi_1", object_reference="re_1")
    assert early.run(database) == "ignored"
    calls = [erase(), pay(order_id, "paid", payment_reference="pi_1")]
    for call in calls if erases_first else reversed(calls):
        call.run(database)
    assert bodies(database) == [None, None]
    assert row(database, "status::text", "refunds") == ["succeeded"]


def test_a_refund_event_of_an_erased_order_keeps_no_body(
    database: Connection, database_url: str, order_id: str
) -> None:
    assert pay(order_id, "paid", payment_reference="pi_1").run(database) == "applied"
    event = report_refund("evt_r", "succeeded", "1", payment_reference="pi_1", object_reference="re_1")
    assert two_at_once(database_url, erase(), event) == ("erased", "applied")
    assert bodies(database) == [None, None]


def test_an_erasure_waits_for_a_payment_event_and_erases_its_body(
    database: Connection, database_url: str, order_id: str
) -> None:
    assert two_at_once(database_url, pay(order_id, "paid"), erase()) == ("applied", "erased")
    assert bodies(database) == [None]


def test_a_payment_event_that_waited_for_an_erasure_is_applied_without_its_body(
    database: Connection, database_url: str, order_id: str
) -> None:
    assert two_at_once(database_url, erase(), pay(order_id, "paid")) == ("erased", "applied")
    assert bodies(database) == [None]
    assert row(database, "payment_status::text", "orders") == ["paid"]


@pytest.mark.parametrize("erases_first", [True, False])
def test_a_replay_and_an_erasure_wait_for_each_other(
    database: Connection, database_url: str, order_id: str, *, erases_first: bool
) -> None:
    assert pay(order_id, "paid", currency="EUR", shop_currency="USD").run(database) == "needs_review"
    again = replay(str(row(database, "id", "payment_events")[0]))
    calls = (erase(), again) if erases_first else (again, erase())
    outcomes = two_at_once(database_url, *calls)
    assert set(outcomes) == {"erased", "needs_review"}
    assert bodies(database) == [None]


@pytest.mark.parametrize("erases_first", [True, False])
def test_an_event_that_names_no_order_of_a_known_payment_keeps_no_body(
    database: Connection, database_url: str, order_id: str, *, erases_first: bool
) -> None:
    pay(order_id, "paid", "evt_1", payment_reference="pi_1").run(database)
    unnamed = report("evt_2", payment_status="paid", payment_reference="pi_1")
    calls = (erase(), unnamed) if erases_first else (unnamed, erase())
    assert set(two_at_once(database_url, *calls)) == {"erased", "ignored"}
    assert bodies(database) == [None, None]


def test_two_events_of_one_payment_after_the_erasure_keep_no_body(
    database: Connection, database_url: str, order_id: str
) -> None:
    erase().run(database)
    named = pay(order_id, "paid", "evt_1", payment_reference="pi_1")
    unnamed = report("evt_2", payment_status="paid", payment_reference="pi_1")
    assert two_at_once(database_url, unnamed, named) == ("ignored", "applied")
    assert bodies(database) == [None, None]


@pytest.mark.parametrize("erases_first", [True, False])
def test_another_content_under_an_event_id_keeps_no_body(
    database: Connection, database_url: str, order_id: str, *, erases_first: bool
) -> None:
    pay(order_id, "failed", "evt_1").run(database)
    other = unreadable("evt_1", "ada@example.com is not JSON", scheme="x_signature")
    calls = (erase(), other) if erases_first else (other, erase())
    assert "erased" in two_at_once(database_url, *calls)
    assert bodies(database) == [None] * len(bodies(database))


@pytest.mark.parametrize("earlier", ["unreadable", "of an unknown order"])
def test_an_event_of_an_erased_order_waits_for_another_content_under_its_id_and_erases_it(
    database: Connection, database_url: str, order_id: str, earlier: str
) -> None:
    assert erase().run(database) == "erased"
    unknown = "00000000-0000-4000-8000-000000000000"
    other = {
        "unreadable": unreadable("evt_1", "ada@example.com is not JSON", scheme="x_signature"),
        "of an unknown order": pay(unknown, "paid", "evt_1"),
    }[earlier]
    two_at_once(database_url, other, pay(order_id, "failed", "evt_1"))
    assert bodies(database) == [None] * len(bodies(database))


def test_an_erasure_of_many_payments_by_the_owner_takes_a_limited_number_of_locks(
    database: Connection, order_id: str
) -> None:
    database.run(
        "INSERT INTO payment_events"
        " (event_id, scheme, provider, order_id, outcome, reason, reader_reason, body, payment_reference)"
        " SELECT n, 'stripe', 'stripe', :id, 'ignored', 'type_not_ours', 'type_not_ours', '{}', 'pi_' || n"
        "   FROM generate_series(1, 2000) n",
        id=order_id,
    )
    database.run("BEGIN")
    # The runbook does this for a customer with very many orders.
    database.run("SET LOCAL statement_timeout = 0")
    assert erase().run(database) == "erased"
    [[locks]] = database.run("SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()") or []
    database.run("COMMIT")
    # PostgreSQL has room for 64 for each connection.
    assert locks < 600
    assert database.run("SELECT count(body) FROM payment_events") == [[0]]


def test_a_status_change_waits_for_an_erasure(database: Connection, database_url: str, order_id: str) -> None:
    assert two_at_once(database_url, erase(), change_status(order_id, "canceled")) == ("erased", "changed")
    assert causes(database) == ["placed", "erasure", "status_change"]


def test_the_scheduled_erasure_of_bodies_skips_an_event_that_is_being_erased(
    database: Connection, database_url: str, order_id: str
) -> None:
    pay(order_id, "failed").run(database)
    database.run("UPDATE payment_events SET received_at = now() - interval '500 days'")
    scheduled = Call("erase_payment_bodies", {"retention_days": 400, "batch_size": 10})
    assert two_at_once(database_url, erase(), scheduled, waits=False) == ("erased", "erased")
    assert bodies(database) == [None]
