"""Each content under an event ID is stored. At most one of them takes effect."""

from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.integration.races import pay, replay, report, two_at_once
from tests.integration.stored_events import NOTHING, OTHER_ACCOUNT, TEST_MODE, inbox, inbox_id, kinds, response, run

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def test_events_that_report_nothing_never_conflict(database: Connection) -> None:
    other = report("evt_1", type="customer.deleted", reason="type_not_ours")
    assert run(database, NOTHING, other, NOTHING, other) == ["ignored", "ignored", "duplicate", "duplicate"]
    assert inbox(database) == [[0, "ignored", "type_not_ours", 2], [1, "ignored", "type_not_ours", 2]]


def test_a_payment_under_an_id_that_reported_nothing_is_applied(database: Connection, order_id: str) -> None:
    assert run(database, NOTHING, pay(order_id, "paid", "evt_1")) == ["ignored", "applied"]


def test_an_event_that_reports_nothing_is_ignored_after_a_payment(database: Connection, order_id: str) -> None:
    assert run(database, pay(order_id, "paid", "evt_1"), NOTHING) == ["applied", "ignored"]


def test_the_second_payment_under_an_id_conflicts(database: Connection, order_id: str) -> None:
    calls = NOTHING, pay(order_id, "failed", "evt_1"), pay(order_id, "paid", "evt_1")
    assert run(database, *calls) == ["ignored", "applied", "needs_review"]
    assert replay(inbox_id(database, 2)).run(database) == "needs_review"
    assert inbox(database)[2] == [2, "needs_review", "other_content", 2]


@pytest.mark.parametrize("money", [{"amount": "5.00"}, {"amount": "4.50", "currency": "EUR"}])
def test_a_failure_with_another_amount_is_the_same_event(
    database: Connection, order_id: str, money: dict[str, Any]
) -> None:
    calls = pay(order_id, "failed", "evt_1", amount="4.50"), pay(order_id, "failed", "evt_1", **money)
    assert run(database, *calls) == ["applied", "duplicate"]


@pytest.mark.parametrize("changed", [{"livemode": True}, {"account": "acct_2"}], ids=["mode", "account"])
def test_a_payment_of_another_mode_or_account_is_another_content(
    database: Connection, order_id: str, changed: dict[str, object]
) -> None:
    sent = {"livemode": False, "account": "acct_1"}
    assert pay(order_id, "paid", "evt_1", **sent).run(database) == "applied"
    assert pay(order_id, "paid", "evt_1", **{**sent, **changed}).run(database) == "needs_review"


@pytest.mark.parametrize(("first", "second"), [("pi_1", "pi_2"), ("pi_2", "pi_1")])
def test_another_payment_under_the_same_id_needs_review(
    api: ApiClient, database: Connection, order_id: str, first: str, second: str
) -> None:
    calls = [pay(order_id, "paid", "evt_1", payment_reference=reference) for reference in (first, second)]
    assert run(database, *calls, *calls) == ["applied", "needs_review", "duplicate", "duplicate"]
    assert kinds(api) == ["conflicting_event"]


@pytest.mark.parametrize("references", [("pi_1", None), (None, "pi_1")])
def test_a_payment_that_is_named_in_only_one_delivery_is_the_same_payment(
    database: Connection, order_id: str, references: tuple[str | None, str | None]
) -> None:
    calls = [pay(order_id, "paid", "evt_1", payment_reference=reference) for reference in references]
    assert run(database, *calls) == ["applied", "duplicate"]


@pytest.mark.parametrize("fields", [TEST_MODE, OTHER_ACCOUNT], ids=["mode", "account"])
def test_a_payment_that_was_not_for_this_shop_does_not_conflict(
    database: Connection, order_id: str, fields: dict[str, Any]
) -> None:
    assert run(database, pay(order_id, "failed", "evt_1", **fields), pay(order_id, "paid", "evt_1")) == [
        "ignored",
        "applied",
    ]
    # With other settings, both would count.
    assert replay(inbox_id(database)).run(database) == "needs_review"
    assert inbox(database) == [[0, "needs_review", "other_content", 2], [1, "applied", None, 1]]


def test_a_payment_under_the_same_id_of_another_scheme_does_not_conflict(
    database: Connection, order_id: str, other_order_id: str
) -> None:
    calls = NOTHING, pay(other_order_id, "paid", "evt_1", scheme="stripe"), pay(order_id, "paid", "evt_1")
    assert run(database, *calls) == ["ignored", "applied", "applied"]


def test_the_first_content_can_be_replayed_after_a_conflict(database: Connection, order_id: str) -> None:
    run(database, pay(order_id, "paid", "evt_1", amount="5.00"))
    assert pay(order_id, "failed", "evt_1").run(database) == "needs_review"
    run(database, replay(inbox_id(database)))
    assert inbox(database) == [[0, "needs_review", "amount_differs", 2], [1, "needs_review", "other_content", 1]]


def test_a_replay_applies_a_payment_of_an_earlier_release_if_no_other_content_reports_one(
    database: Connection, order_id: str
) -> None:
    run(database, NOTHING, pay(order_id, "paid", "evt_1", **TEST_MODE))
    # Release 0.2.0 stored each further content under an ID as a conflict.
    conflict = "outcome = 'needs_review', reason = 'other_content', reader_reason = NULL"
    database.run(f"UPDATE payment_events SET {conflict} WHERE variant = 1")
    assert replay(inbox_id(database, 1)).run(database) == "applied"


def test_concurrent_contents_of_which_one_reports_nothing_are_both_stored(
    database: Connection, database_url: str, order_id: str
) -> None:
    payment = pay(order_id, "paid", "evt_1")
    assert two_at_once(database_url, NOTHING, payment) == ("ignored", "applied")
    assert inbox(database) == [[0, "ignored", "type_not_ours", 1], [1, "applied", None, 1]]


def test_concurrent_payments_after_one_that_reported_nothing_apply_the_first(
    database: Connection, database_url: str, order_id: str, other_order_id: str
) -> None:
    NOTHING.run(database)
    payments = pay(order_id, "paid", "evt_1"), pay(other_order_id, "paid", "evt_1")
    assert two_at_once(database_url, *payments) == ("applied", "needs_review")
    assert [row[1] for row in inbox(database)] == ["ignored", "applied", "needs_review"]


def test_a_payment_and_a_concurrent_replay_of_another_content_apply_one(
    database: Connection, database_url: str, order_id: str, other_order_id: str
) -> None:
    run(database, NOTHING, pay(order_id, "paid", "evt_1", **TEST_MODE))
    again, payment = replay(inbox_id(database, 1)), pay(other_order_id, "paid", "evt_1")
    assert two_at_once(database_url, again, payment) == ("applied", "needs_review")
    assert [row[1] for row in inbox(database)] == ["ignored", "applied", "needs_review"]


def test_a_replay_and_a_concurrent_payment_with_another_content_apply_one(
    database: Connection, database_url: str, order_id: str, other_order_id: str
) -> None:
    run(database, NOTHING, pay(order_id, "paid", "evt_1", **TEST_MODE))
    payment, again = pay(other_order_id, "paid", "evt_1"), replay(inbox_id(database, 1))
    assert two_at_once(database_url, payment, again) == ("applied", "needs_review")


def test_an_event_for_an_unknown_order_is_refused_for_an_hour(database: Connection) -> None:
    assert response(database, pay(UNKNOWN, "paid"))["is_recent"]
    for minutes, is_recent in ((59, True), (2, False)):
        age = "UPDATE payment_events SET received_at = received_at - make_interval(mins => :minutes)"
        database.run(age, minutes=minutes)
        assert response(database, pay(UNKNOWN, "paid"))["is_recent"] == is_recent


def test_the_hour_of_an_unknown_order_starts_with_the_first_delivery_of_each_event(database: Connection) -> None:
    response(database, pay(UNKNOWN, "paid", "evt_1"))
    database.run("UPDATE payment_events SET received_at = received_at - interval '61 minutes'")
    assert [response(database, pay(UNKNOWN, "paid", id_))["is_recent"] for id_ in ("evt_1", "evt_2")] == [False, True]


def test_after_an_hour_the_webhook_accepts_the_event_and_it_stays_listed(api: ApiClient, database: Connection) -> None:
    assert api.pay(UNKNOWN, event_id="evt_1").problem() == (404, "order-not-found")
    database.run("UPDATE payment_events SET received_at = received_at - interval '1 hour'")
    assert expect(200, api.pay(UNKNOWN, event_id="evt_1")) == {
        "message": "The order does not exist, so the payment event needs review",
        "order_id": UNKNOWN,
        "payment_status": None,
        "event_id": "evt_1",
        "outcome": "unknown_order",
    }
    assert kinds(api) == ["event_without_order"]
    refused = api.call("POST", f"/api/payment-events/{inbox_id(database)}/replay")
    assert refused.problem() == (404, "order-not-found")


def test_an_event_that_reports_nothing_does_not_replace_one_for_an_unknown_order(
    api: ApiClient, database: Connection, order_id: str
) -> None:
    assert run(database, pay(UNKNOWN, "paid", "evt_1"), NOTHING) == ["unknown_order", "ignored"]
    assert kinds(api) == ["event_without_order"]
    assert pay(order_id, "paid", "evt_1").run(database) == "applied"
    assert inbox(database) == [[0, "applied", None, 2], [1, "ignored", "type_not_ours", 1]]


def test_money_without_an_order_does_not_replace_money_for_an_unknown_order(
    api: ApiClient, database: Connection
) -> None:
    without_order = report("evt_1", payment_status="paid", reason="no_order_named")
    assert run(database, pay(UNKNOWN, "paid", "evt_1"), without_order) == ["unknown_order", "ignored"]
    assert kinds(api) == ["event_without_order", "event_without_order"]


def test_a_failure_does_not_replace_received_money(api: ApiClient, database: Connection, order_id: str) -> None:
    calls = pay(UNKNOWN, "paid", "evt_1"), pay(order_id, "failed", "evt_1")
    assert run(database, *calls) == ["unknown_order", "applied"]
    assert kinds(api) == ["event_without_order"]


def test_an_unknown_order_after_a_content_that_reported_nothing_is_replaced(
    database: Connection, order_id: str
) -> None:
    calls = NOTHING, pay(UNKNOWN, "paid", "evt_1"), pay(UNKNOWN, "paid", "evt_1"), pay(order_id, "paid", "evt_1")
    assert run(database, *calls) == ["ignored", "unknown_order", "unknown_order", "applied"]
    assert inbox(database) == [[0, "ignored", "type_not_ours", 1], [1, "applied", None, 3]]


def test_a_failure_for_an_unknown_order_is_not_listed(api: ApiClient, database: Connection) -> None:
    assert pay(UNKNOWN, "failed").run(database) == "unknown_order"
    assert kinds(api) == []


def test_the_end_of_a_payment_for_an_unknown_order_is_ignored(database: Connection) -> None:
    ended = report("evt_1", order_id=UNKNOWN, reason="payment_ended")
    assert ended.run(database) == "ignored"
