"""A payment in progress, or money that needs review, keeps an order from expiring."""

from typing import Any

import pytest
from pg8000.native import Connection

from storefront import settings
from tests.api_client import ApiClient, expect
from tests.integration.races import change_status, end, expire, make_due, pay, replay, set_refund, start, two_at_once
from tests.integration.refund_events import refund_event, requested
from tests.integration.stored_events import TEST_MODE, inbox, kinds, run

pytestmark = pytest.mark.usefixtures("expect_no_violations")

EARLY, LATE = "2026-01-31T12:00:00Z", "2026-01-31T12:00:01Z"
FAR_FUTURE = "9999-12-31T23:59:59Z"


def status_after_expiry(database: Connection) -> str:
    """The status of the only order, after all orders that are not held have expired."""
    make_due(database)
    expire().run(database)
    [[status]] = database.run("SELECT status::text FROM orders")
    return str(status)


def test_a_payment_in_progress_holds_its_order(database: Connection, order_id: str) -> None:
    assert start(order_id).run(database) == "ignored"
    assert status_after_expiry(database) == "pending"


def test_the_timeline_says_that_a_payment_is_in_progress_and_that_it_ended(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    run(database, start(order_id), end(order_id))
    timeline = api.items(f"/api/orders/{order_id}/events")
    reasons = [(entry["cause"], entry["outcome"], entry["reason"]) for entry in timeline[1:]]
    assert reasons == [
        ("payment_event", "ignored", "payment_under_way"),
        ("payment_event", "ignored", "payment_ended"),
    ]


def test_a_hold_does_not_change_when_an_order_was_updated(api: ApiClient, database: Connection, order_id: str) -> None:
    before = expect(200, api.get(f"/api/orders/{order_id}"))
    run(database, start(order_id))
    assert expect(200, api.get(f"/api/orders/{order_id}")) == before


@pytest.mark.parametrize("ending", [end, pay], ids=["canceled", "failed"])
def test_the_end_of_a_payment_ends_its_hold(database: Connection, order_id: str, ending: Any) -> None:
    last = end(order_id) if ending is end else pay(order_id, "failed")
    run(database, start(order_id), last)
    assert status_after_expiry(database) == "canceled"


def test_a_payment_that_succeeds_ends_each_hold(database: Connection, order_id: str) -> None:
    run(database, start(order_id), start(order_id, "evt_other", payment_reference="pi_2"), pay(order_id, "paid"))
    assert database.run("SELECT held_since FROM orders") == [[None]]


@pytest.mark.parametrize("status", ["canceled", "completed"])
def test_a_final_order_is_not_held(database: Connection, order_id: str, status: str) -> None:
    run(database, start(order_id), change_status(order_id, status), start(order_id, "evt_late"))
    assert database.run("SELECT held_since FROM orders") == [[None]]


@pytest.mark.parametrize(
    ("ended", "status"), [("pi_1", "canceled"), ("pi_2", "pending"), (None, "canceled")], ids=["same", "other", "none"]
)
def test_an_end_ends_the_hold_of_its_own_payment(
    database: Connection, order_id: str, ended: str | None, status: str
) -> None:
    run(database, start(order_id, payment_reference="pi_1"), end(order_id, payment_reference=ended))
    assert status_after_expiry(database) == status


def test_each_payment_of_an_order_holds_it(database: Connection, order_id: str) -> None:
    starts = [start(order_id, f"evt_{n}", payment_reference=f"pi_{n}") for n in (1, 2)]
    run(database, *starts, end(order_id, payment_reference="pi_1"))
    [[held_since]] = database.run("SELECT held_since FROM orders")
    assert [[held_since]] == database.run("SELECT received_at FROM payment_events WHERE event_id = 'evt_2'")


@pytest.mark.parametrize(
    ("started", "ended", "status"),
    [(EARLY, LATE, "canceled"), (EARLY, EARLY, "canceled"), (LATE, EARLY, "pending")],
    ids=["before", "same second", "after"],
)
@pytest.mark.parametrize("is_reversed", [False, True], ids=["in order", "reversed"])
def test_the_last_event_of_the_processor_decides_whatever_arrives_first(
    database: Connection, order_id: str, started: str, ended: str, status: str, *, is_reversed: bool
) -> None:
    calls = [start(order_id, occurred_at=started), pay(order_id, "failed", occurred_at=ended)]
    run(database, *(reversed(calls) if is_reversed else calls))
    assert status_after_expiry(database) == status


@pytest.mark.parametrize("ended", [None, LATE, FAR_FUTURE])
def test_a_start_with_a_time_in_the_future_ends(database: Connection, order_id: str, ended: str | None) -> None:
    run(database, start(order_id, occurred_at=FAR_FUTURE))
    database.run("UPDATE payment_events SET received_at = :early", early=EARLY)
    run(database, end(order_id, occurred_at=ended))
    assert status_after_expiry(database) == "canceled"


@pytest.mark.parametrize("started", [None, FAR_FUTURE])
def test_an_end_with_a_time_in_the_future_does_not_end_later_payments(
    database: Connection, order_id: str, started: str | None
) -> None:
    run(database, pay(order_id, "failed", occurred_at=FAR_FUTURE), start(order_id, occurred_at=started))
    assert status_after_expiry(database) == "pending"


def test_a_failure_that_reports_nothing_to_this_shop_ends_no_hold(database: Connection, order_id: str) -> None:
    run(database, start(order_id), pay(order_id, "failed", livemode=False, payment_mode="live"))
    assert status_after_expiry(database) == "pending"


@pytest.mark.parametrize(
    "fields",
    [
        {"livemode": False, "payment_mode": "live"},
        {"account": "acct_2", "payment_accounts": ["acct_1"]},
    ],
    ids=["mode", "account"],
)
def test_a_payment_of_another_mode_or_account_holds_no_order(
    database: Connection, order_id: str, fields: dict[str, Any]
) -> None:
    run(database, start(order_id, **fields), pay(order_id, "paid", amount="1", **fields))
    assert status_after_expiry(database) == "canceled"


def test_money_that_needs_review_holds_its_order_even_after_a_failure(database: Connection, order_id: str) -> None:
    assert run(database, pay(order_id, "paid", amount="1"), pay(order_id, "failed")) == ["needs_review", "applied"]
    assert status_after_expiry(database) == "pending"


@pytest.mark.parametrize("reference", [None, "pi_1"])
@pytest.mark.parametrize("returned", ["1", "2"])
def test_a_changed_amount_holds_its_order_until_the_payment_went_back(
    api: ApiClient, database: Connection, order_id: str, reference: str | None, returned: str
) -> None:
    """Without any ID, both are reports of the first payment."""
    outcomes = [
        expect(200, api.pay(order_id, payment_reference=reference, amount=amount))["outcome"] for amount in ("2", "3")
    ]
    assert outcomes == ["needs_review", "needs_review"]
    [refund_id] = requested(database, order_id, returned)
    set_refund(refund_id, "succeeded").run(database)
    assert ("amount_mismatch" in kinds(api)) == (returned != "2")
    assert status_after_expiry(database) == ("canceled" if returned == "2" else "pending")


def test_a_replay_that_applies_the_money_ends_the_hold(database: Connection, order_id: str) -> None:
    run(database, start(order_id), pay(order_id, "paid", **TEST_MODE))
    [[inbox_id]] = database.run("SELECT id::text FROM payment_events WHERE payment_status = 'paid'")
    assert database.run("SELECT held_since IS NULL FROM orders") == [[False]]
    assert replay(inbox_id).run(database) == "applied"
    assert database.run("SELECT held_since FROM orders") == [[None]]


def test_a_conflicting_failure_holds_no_order(database: Connection, order_id: str) -> None:
    one, other = pay(order_id, "failed", "evt_1"), pay(order_id, "failed", "evt_1", type="other")
    assert run(database, one, other) == ["applied", "needs_review"]
    assert status_after_expiry(database) == "canceled"


def test_the_start_of_a_payment_for_an_unknown_order_holds_it_when_it_is_sent_again(
    database: Connection, order_id: str
) -> None:
    database.run("BEGIN")
    database.run("SET LOCAL session_replication_role = replica")
    database.run("UPDATE orders SET id = gen_random_uuid()")
    assert start(order_id).run(database) == "unknown_order"
    assert end(order_id).run(database) == "ignored"
    database.run("DELETE FROM payment_events WHERE event_id = 'evt_end'")
    database.run("UPDATE orders SET id = :id", id=order_id)
    database.run("COMMIT")
    assert start(order_id).run(database) == "ignored"
    assert status_after_expiry(database) == "pending"


def test_an_order_that_is_held_too_long_is_listed_until_it_is_settled(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    run(database, start(order_id))
    age = "interval '6 days'"
    database.run(f"UPDATE orders SET created_at = created_at - {age}, expires_at = expires_at - {age}")
    database.run("UPDATE payment_events SET received_at = received_at - interval '6 days'")
    run(database, start(order_id))
    assert kinds(api) == []
    database.run("UPDATE payment_events SET received_at = received_at - interval '2 days'")
    run(database, start(order_id))
    assert kinds(api) == ["held_too_long"]
    assert status_after_expiry(database) == "pending"
    [entry] = api.items("/api/reconciliation", kind="held_too_long")
    assert entry["order"]["id"] == order_id
    run(database, pay(order_id, "paid"))
    assert kinds(api) == ["pending_too_long"]


def test_the_limit_of_a_hold_is_a_setting(
    api: ApiClient, database: Connection, order_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(database, start(order_id))
    monkeypatch.setenv("PAYMENT_PENDING_DAYS", "0")
    assert kinds(api) == ["held_too_long"]
    monkeypatch.setenv("PAYMENT_PENDING_DAYS", "-1")
    with pytest.raises(ValueError, match="PAYMENT_PENDING_DAYS should be a number"):
        settings.payment_pending_days()


def test_a_hold_that_arrives_during_expiry_finds_the_order_canceled(
    database: Connection, database_url: str, order_id: str
) -> None:
    make_due(database)
    assert two_at_once(database_url, expire(), start(order_id)) == ("expired", "ignored")
    assert database.run("SELECT status::text, held_since FROM orders") == [["canceled", None]]


def test_expiry_skips_an_order_whose_hold_is_arriving(database: Connection, database_url: str, order_id: str) -> None:
    make_due(database)
    assert two_at_once(database_url, start(order_id), expire(), waits=False) == ("ignored", "expired")
    assert database.run("SELECT status::text FROM orders") == [["pending"]]


def test_a_start_that_is_delivered_twice_at_once_holds_its_order_once(
    database: Connection, database_url: str, order_id: str
) -> None:
    assert two_at_once(database_url, start(order_id), start(order_id)) == ("ignored", "duplicate")
    assert inbox(database) == [[0, "ignored", "payment_under_way", 2]]
    assert status_after_expiry(database) == "pending"


def test_concurrent_starts_and_ends_of_a_payment_leave_no_hold(
    database: Connection, database_url: str, order_id: str
) -> None:
    calls = start(order_id, occurred_at=EARLY), end(order_id, occurred_at=LATE)
    assert two_at_once(database_url, *calls) == ("ignored", "ignored")
    assert status_after_expiry(database) == "canceled"


def test_concurrent_ends_and_starts_of_a_payment_leave_no_hold(
    database: Connection, database_url: str, order_id: str
) -> None:
    calls = end(order_id, occurred_at=LATE), start(order_id, occurred_at=EARLY)
    assert two_at_once(database_url, *calls) == ("ignored", "ignored")
    assert status_after_expiry(database) == "canceled"


def test_money_that_needs_review_holds_its_order_until_it_went_back(database: Connection, order_id: str) -> None:
    pay(order_id, "paid", "evt_1", payment_reference="pi_1", amount="2").run(database)
    [[held]] = database.run("SELECT held_since FROM orders")
    assert held is not None
    refund_event("evt_2", "succeeded", "pi_1", "re_1", amount="1.50").run(database)
    assert database.run("SELECT held_since FROM orders") == [[held]]
    refund_event("evt_3", "succeeded", "pi_1", "re_2", amount="0.50").run(database)
    assert database.run("SELECT held_since FROM orders") == [[None]]
    assert status_after_expiry(database) == "canceled"


def test_money_that_came_back_to_the_shop_holds_its_order_again(database: Connection, order_id: str) -> None:
    pay(order_id, "paid", "evt_1", payment_reference="pi_1", amount="2").run(database)
    refund_event("evt_2", "succeeded", "pi_1", amount="2").run(database)
    # The bank returned it.
    refund_event("evt_3", "failed", "pi_1", amount="2").run(database)
    assert status_after_expiry(database) == "pending"


def test_one_payment_that_went_back_does_not_end_the_hold_of_another(database: Connection, order_id: str) -> None:
    run(database, *(pay(order_id, "paid", f"evt_{n}", payment_reference=f"pi_{n}", amount="2") for n in (1, 2)))
    refund_event("evt_3", "succeeded", "pi_1", amount="2").run(database)
    assert status_after_expiry(database) == "pending"
