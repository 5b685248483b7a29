"""Refund and dispute events that arrive before the payment that they are about."""

from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient
from tests.integration.races import Call, change_status, erase, pay, replay
from tests.integration.refund_events import dispute_event, refund_event, refund_total
from tests.integration.stored_events import run

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def payment(order_id: str, event_id: str = "evt_paid", **fields: Any) -> Call:
    return pay(order_id, "paid", event_id, **{"amount": "4.50", "payment_reference": "pi_1", **fields})


def returned(event_id: str = "evt_refund", **fields: Any) -> Call:
    """An event about a refund of 3.00."""
    return refund_event(event_id, "succeeded", **{"payment": "pi_1", "amount": "3", **fields})


def money(database: Connection) -> list[list[Any]]:
    """The amounts of each order: received, refunded and lost."""
    return database.run("SELECT paid_amount, refunded_amount, lost_amount FROM orders ORDER BY number") or []


def test_a_refund_that_waits_for_its_payment_and_then_for_its_amount_is_applied(
    database: Connection, order_id: str
) -> None:
    without_amount = returned(order_id=order_id, reference="re_1", amount=None)
    with_amount = returned("evt_again", reference="re_1")
    assert run(database, without_amount, payment(order_id), with_amount) == ["ignored", "applied", "applied"]
    assert money(database) == [[4.5, 3, 0]]


def entry(database: Connection, event_id: str = "evt_refund") -> tuple[str | None, str, str | None, int]:
    """An entry of the inbox: its order, its outcome, its reason and the number of its deliveries and replays."""
    columns = "order_id::text, outcome::text, reason, attempts"
    [[order_id, outcome, reason, attempts]] = database.run(
        f"SELECT {columns} FROM payment_events WHERE event_id = :id", id=event_id
    )
    return order_id, outcome, reason, attempts


def inbox_id(database: Connection, event_id: str = "evt_refund") -> str:
    return str(database.run("SELECT id FROM payment_events WHERE event_id = :id", id=event_id)[0][0])


REFUNDED = [4.5, 3, 0]
NOT_REFUNDED = [4.5, 0, 0]


def test_everything_that_waits_is_applied_in_one_transaction_with_the_payment(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    waiting = [
        returned(),
        dispute_event("evt_dp", "lost", "pi_1", amount="1.50"),
        refund_total("evt_total", "pi_1", "3"),
    ]
    assert run(database, *waiting) == ["ignored"] * 3
    assert payment(order_id).run(database) == "applied"
    assert money(database) == [[4.5, 3, 1.5]]
    assert database.run("SELECT reported_refunds FROM payments WHERE order_id IS NOT NULL") == [[3]]
    timeline = [one["payment_event_id"] for one in api.items(f"/api/orders/{order_id}/events")]
    assert sorted(timeline[1:]) == ["evt_dp", "evt_paid", "evt_refund", "evt_total"]


@pytest.mark.parametrize("names_order", [True, False], ids=["names its order", "names its payment"])
def test_a_waiting_event_that_is_delivered_and_replayed_still_waits(
    database: Connection, order_id: str, *, names_order: bool
) -> None:
    event = returned(order_id=order_id) if names_order else returned()
    assert run(database, event, event) == ["ignored"] * 2
    again = replay(inbox_id(database))
    assert again.run(database) == "ignored"
    assert entry(database) == (order_id if names_order else None, "ignored", "payment_unknown", 3)
    assert payment(order_id).run(database) == "applied"
    assert run(database, event, again) == ["duplicate"] * 2
    assert money(database) == [REFUNDED]
    assert entry(database) == (order_id, "applied", None, 5)


def test_an_event_that_names_only_its_order_waits_for_the_first_payment(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    etag = api.get(f"/api/orders/{order_id}").headers["etag"]
    assert returned(payment=None, order_id=order_id).run(database) == "ignored"
    assert api.get(f"/api/orders/{order_id}").headers["etag"] == etag
    assert payment(order_id).run(database) == "applied"
    assert money(database) == [REFUNDED]


def test_a_payment_of_another_order_than_the_metadata_names_takes_the_refund(
    database: Connection, order_id: str, other_order_id: str
) -> None:
    returned(order_id=other_order_id).run(database)
    payment(other_order_id, "evt_other", payment_reference="pi_2").run(database)
    assert entry(database)[1:3] == ("ignored", "payment_unknown")
    payment(order_id).run(database)
    assert entry(database) == (order_id, "applied", None, 1)
    assert money(database) == [REFUNDED, NOT_REFUNDED]


def test_a_refund_of_a_payment_waits_also_if_its_order_does_not_exist(database: Connection, order_id: str) -> None:
    assert returned(order_id=UNKNOWN).run(database) == "ignored"
    payment(order_id).run(database)
    assert (entry(database), money(database)) == ((order_id, "applied", None, 1), [REFUNDED])


@pytest.mark.parametrize("again", ["replay", "delivery"])
def test_a_refund_of_an_order_that_was_not_found_is_applied_later(
    database: Connection, order_id: str, again: str
) -> None:
    event = returned(payment=None, order_id=UNKNOWN)
    assert run(database, event, payment(order_id)) == ["unknown_order", "applied"]
    # As if the transaction of the order had ended only now.
    database.run("UPDATE payment_events SET order_id = :id WHERE event_id = 'evt_refund'", id=order_id)
    later = replay(inbox_id(database)) if again == "replay" else returned(payment=None, order_id=order_id)
    assert later.run(database) == "applied"
    assert money(database) == [REFUNDED]


@pytest.mark.parametrize("again", ["replay", "delivery"])
def test_a_payment_that_the_settings_refused_brings_its_refund_when_they_are_corrected(
    database: Connection, order_id: str, again: str
) -> None:
    refused = payment(order_id, livemode=False, payment_mode="live")
    assert run(database, refused, returned()) == ["ignored", "ignored"]
    accepted = replay(inbox_id(database, "evt_paid")) if again == "replay" else payment(order_id, livemode=False)
    assert accepted.run(database) == "applied"
    assert money(database) == [REFUNDED]


@pytest.mark.parametrize("again", ["replay", "delivery"])
def test_a_refund_that_the_settings_refused_is_applied_when_they_are_corrected(
    database: Connection, order_id: str, again: str
) -> None:
    assert returned(livemode=False, payment_mode="live").run(database) == "ignored"
    payment(order_id).run(database)
    assert (money(database), entry(database)[2]) == ([NOT_REFUNDED], "other_mode")
    accepted = replay(inbox_id(database)) if again == "replay" else returned(livemode=False)
    assert accepted.run(database) == "applied"
    assert money(database) == [REFUNDED]


def test_a_corrected_payment_brings_its_refund(database: Connection, order_id: str) -> None:
    broken = payment(order_id, amount=None, reason="amount_unreadable")
    assert run(database, broken, returned(), payment(order_id)) == ["needs_review", "ignored", "applied"]
    assert money(database) == [REFUNDED]


def test_a_payment_of_a_canceled_order_brings_its_refund(database: Connection, order_id: str) -> None:
    change_status(order_id, "canceled").run(database)
    assert run(database, returned(amount="4.50"), payment(order_id)) == ["ignored", "needs_refund"]
    assert money(database) == [[4.5, 4.5, 0]]
    assert database.run("SELECT kind FROM reconciliation") == []


def test_a_dispute_that_the_settings_refused_does_not_open_again_when_it_is_delivered_again(
    database: Connection, order_id: str
) -> None:
    payment(order_id).run(database)
    opened = dispute_event("evt_open", "open", "pi_1", livemode=False)
    refused = opened._replace(request={**opened.request, "payment_mode": "live"})
    assert run(database, refused, dispute_event("evt_lost", "lost", "pi_1"), opened) == [
        "ignored",
        "applied",
        "ignored",
    ]
    assert database.run("SELECT status::text FROM disputes") == [["lost"]]


@pytest.mark.parametrize("names_order", [True, False], ids=["names its order", "names its payment"])
@pytest.mark.parametrize("erased_when", ["before it arrives", "while it waits", "after the payment"])
def test_no_body_of_a_refund_event_of_an_erased_customer_is_stored(
    database: Connection, order_id: str, erased_when: str, *, names_order: bool
) -> None:
    calls = [returned(order_id=order_id) if names_order else returned(), payment(order_id)]
    calls.insert(["before it arrives", "while it waits", "after the payment"].index(erased_when), erase())
    run(database, *calls)
    assert database.run("SELECT event_id FROM payment_events WHERE body IS NOT NULL") == []
    assert money(database) == [REFUNDED]


def test_a_refund_event_that_names_only_the_payment_of_an_erased_customer_has_no_body(
    database: Connection, order_id: str
) -> None:
    run(database, payment(order_id), erase(), returned(), dispute_event("evt_dp", "open", "pi_1"))
    assert database.run("SELECT event_id FROM payment_events WHERE body IS NOT NULL") == []
