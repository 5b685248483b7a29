"""A refund or dispute that needs a person is listed, with what to do, until the money adds up."""

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import RECONCILIATION, timeline
from tests.handlers.lists import follow_cursors
from tests.handlers.reconciliation import action, entries, kinds
from tests.handlers.refunds import (
    cancel,
    dispute,
    paid_order,
    pay_again,
    payments,
    refund_event,
    requested,
    set_status,
    unpaid_order,
)

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def late(database: Connection, days: int = 8) -> None:
    """Let all refunds be some days old."""
    database.run(f"UPDATE refunds SET requested_at = requested_at - interval '{days} days'")


def test_refunds_that_only_a_total_reports_are_listed_until_they_are_known(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    charge = {"payment_intent": f"pi_{order['number']}", "amount_refunded": 3000, "currency": "usd", "id": "ch_1"}
    event = {"id": "evt_total", "type": "charge.refunded", "data": {"object": charge}}
    expect(200, api.deliver(event, "stripe"))
    assert kinds(api) == ["amount_mismatch"]
    assert "send the events of its refunds again" in action(api, "amount_mismatch")
    refund_event(api, order, "succeeded", "re_1", "20")
    assert kinds(api) == ["amount_mismatch"]
    refund_event(api, order, "succeeded", "re_2", "10")
    assert entries(api) == []


def test_a_refund_above_the_payment_is_listed(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order, amount="60")
    refund_event(api, order, "succeeded", "re_1", "70")
    assert "Cancel those that are not" in action(api, "over_refunded")
    [entry] = entries(api)
    expect(200, set_status(api, refund, "canceled"))
    assert entries(api) == []
    refund_event(api, order, "succeeded", "re_2", "70")
    assert "ask for it back" in action(api, "over_refunded")
    assert entries(api)[0]["id"] == entry["id"] == entry["payment"]["id"]
    refund_event(api, order, "failed", "re_2", "70")
    assert kinds(api) == ["refund_failed"]


def test_two_entries_of_one_payment_are_on_two_pages(api: ApiClient) -> None:
    order = unpaid_order(api)
    pay_again(api, order, f"pi_{order['number']}", amount="90")
    requested(api, order, amount="60")
    refund_event(api, order, "succeeded", "re_1", "70")
    whole = entries(api)
    assert [one["kind"] for one in whole] == ["amount_mismatch", "over_refunded"]
    assert whole[0]["id"] == whole[1]["id"]
    assert list(follow_cursors(api, RECONCILIATION, page_size=1)) == whole


def test_a_lost_dispute_after_a_refund_is_too_much(api: ApiClient) -> None:
    order = paid_order(api)
    refund_event(api, order, "succeeded", "re_1", "100")
    dispute(api, order, "lost")
    assert kinds(api) == ["over_refunded"]


def test_a_failed_refund_is_listed_until_it_is_requested_again(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    first = requested(api, order, amount="50")
    expect(200, set_status(api, first, "failed"))
    [entry] = entries(api)
    assert (entry["kind"], entry["id"], entry["refund"]["id"]) == ("refund_failed", first["id"], first["id"])
    # Less than what failed.
    expect(200, set_status(api, requested(api, order, amount="10"), "succeeded"))
    assert kinds(api) == ["refund_failed"]
    withdrawn = requested(api, order, amount="50")
    assert entries(api) == []
    expect(200, set_status(api, withdrawn, "canceled"))
    assert [one["id"] for one in entries(api)] == [first["id"]]
    # The next attempt fails as well, and takes the place of the first one.
    second = requested(api, order, amount="50")
    expect(200, set_status(api, second, "failed"))
    assert [one["id"] for one in entries(api)] == [second["id"]]
    expect(200, set_status(api, requested(api, order, amount="50"), "succeeded"))
    assert entries(api) == []


def test_one_new_refund_does_not_end_the_entries_of_two_that_failed(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    both = [requested(api, order, amount="20") for _ in range(2)]
    for refund in both:
        expect(200, set_status(api, refund, "failed"))
    assert [one["id"] for one in entries(api)] == [refund["id"] for refund in both]
    expect(200, set_status(api, requested(api, order, amount="20"), "succeeded"))
    assert [one["id"] for one in entries(api)] == [both[0]["id"]]
    expect(200, set_status(api, requested(api, order, amount="20"), "succeeded"))
    assert entries(api) == []


def test_two_smaller_refunds_make_up_for_one_that_failed(api: ApiClient) -> None:
    order = paid_order(api)
    refund_event(api, order, "failed", "re_1", "30")
    expect(200, set_status(api, requested(api, order, amount="20"), "succeeded"))
    assert kinds(api) == ["refund_failed"]
    expect(200, set_status(api, requested(api, order, amount="10"), "succeeded"))
    assert entries(api) == []


def test_a_refund_that_is_made_in_the_second_of_a_failure_makes_up_for_it(api: ApiClient) -> None:
    order = paid_order(api)
    refund_event(api, order, "succeeded", "re_1", "30", occurred_at="2026-11-20T00:00:00Z")
    refund_event(api, order, "failed", "re_1", "30", occurred_at="2026-11-20T00:00:10Z")
    refund_event(api, order, "succeeded", "re_2", "30", occurred_at="2026-11-20T00:00:10Z")
    assert entries(api) == []


def test_a_refund_that_fails_in_the_second_of_its_request_does_not_make_up_for_itself(api: ApiClient) -> None:
    order = paid_order(api)
    for status in ("pending", "failed"):
        refund_event(api, order, status, "re_1", "30", occurred_at="2026-11-20T00:00:00Z")
    assert kinds(api) == ["refund_failed"]


def test_a_failure_is_listed_although_staff_set_a_refund_of_everything_to_succeeded(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order), "succeeded"))
    assert refund_event(api, order, "failed", "re_1", "100") == "applied"
    assert kinds(api) == ["refund_failed"]


def test_a_failure_is_not_listed_after_the_processor_returned_everything(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order, amount="40")
    expect(200, set_status(api, refund, "pending"))
    refund_event(api, order, "succeeded", "re_1", "100")
    assert kinds(api) == ["over_refunded"]
    # The processor refuses to return more than it received.
    expect(200, set_status(api, refund, "failed"))
    assert entries(api) == []


def test_a_refund_that_never_got_to_the_processor_hides_none_that_was_made_there(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order), "failed"))
    charge = {"id": "ch_1", "payment_intent": f"pi_{order['number']}", "currency": "usd"}
    amounts = {"amount": 10000, "amount_captured": 10000, "amount_refunded": 10000}
    event = {"id": "evt_1", "type": "charge.refunded", "data": {"object": {**charge, **amounts}}}
    expect(200, api.deliver(event, "stripe"))
    assert kinds(api) == ["amount_mismatch", "refund_failed"]


def test_a_refund_that_was_made_before_does_not_count_for_one_that_fails_later(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    first = requested(api, order, amount="20")
    expect(200, set_status(api, first, "succeeded"))
    expect(200, set_status(api, requested(api, order, amount="20"), "succeeded"))
    expect(200, set_status(api, first, "failed"))
    assert [one["id"] for one in entries(api)] == [first["id"]]


def test_a_failed_refund_ends_with_a_refund_of_the_other_payment(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_again")
    first, second = (payment["id"] for payment in payments(api, order))
    expect(200, set_status(api, requested(api, order, payment_id=second), "failed"))
    assert kinds(api) == ["paid_twice", "refund_failed"]
    expect(200, set_status(api, requested(api, order, payment_id=first), "succeeded"))
    assert entries(api) == []


@pytest.mark.parametrize("status", ["requested", "pending"])
def test_a_refund_that_takes_too_long_is_listed(api: ApiClient, database: Connection, status: str) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    refund = requested(api, order)
    if status == "pending":
        expect(200, set_status(api, refund, "pending"))
    late(database, days=6)
    assert entries(api) == []
    late(database, days=1)
    [entry] = entries(api)
    assert (entry["kind"], entry["id"]) == ("refund_stuck", refund["id"])
    assert ("set it to succeeded" in entry["action"]) == (status == "pending")
    expect(200, set_status(api, refund, "succeeded"))
    assert entries(api) == []


def test_a_dispute_is_listed_while_it_is_open(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    dispute(api, order)
    [entry] = entries(api)
    assert (entry["kind"], entry["payment"]["disputes"][0]["id"]) == ("disputed", entry["id"])
    dispute(api, order, "won")
    assert entries(api) == []
    dispute(api, order, "opened", event_id="evt_again")
    assert [one["id"] for one in entries(api)] == [entry["id"]]
    dispute(api, order, "lost")
    assert entries(api) == []


def test_a_pending_order_whose_money_went_back_is_canceled(api: ApiClient, database: Connection) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order), "succeeded"))
    database.run("UPDATE orders SET created_at = created_at - interval '2 days'")
    assert action(api, "pending_too_long") == "Cancel the order."
    expect(200, cancel(api, order))
    assert entries(api) == []


def test_a_paid_order_is_not_shipped_while_a_dispute_is_open_or_after_it_was_lost(
    api: ApiClient, database: Connection
) -> None:
    order = paid_order(api)
    database.run("UPDATE orders SET created_at = created_at - interval '2 days'")
    assert action(api, "pending_too_long") == "Ship the goods, and complete the order."
    dispute(api, order)
    assert action(api, "pending_too_long") == "Follow the entry of the open dispute. Do not ship the goods meanwhile."
    assert action(api, "disputed").endswith("do not refund the payment, and do not ship the goods.")
    dispute(api, order, "lost")
    assert action(api, "pending_too_long") == "Cancel the order."
    assert timeline(api, order["id"])[-1]["action"] == "If the goods are not shipped, cancel the order."


@pytest.mark.parametrize("fields", [{"amount": "x"}, {"currency": "EUR"}])
def test_a_refund_that_cannot_be_applied_is_listed(api: ApiClient, fields: dict[str, str]) -> None:
    order = paid_order(api)
    assert refund_event(api, order, "succeeded", "re_1", **{"amount": "10", **fields}) == "needs_review"
    assert action(api, "amount_mismatch").endswith("Then acknowledge this entry.")


@pytest.mark.parametrize("fields", [{"amount": "x"}, {"currency": "EUR"}])
def test_a_refund_that_could_not_be_applied_ends_when_it_is_known(api: ApiClient, fields: dict[str, str]) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    wrong = {"amount": "10", "event_id": "evt_wrong", **fields}
    assert refund_event(api, order, "succeeded", "re_1", **wrong) == "needs_review"
    assert refund_event(api, order, "succeeded", "re_2", "10") == "applied"
    assert refund_event(api, order, "pending", "re_1", "10") == "applied"
    assert refund_event(api, order, "succeeded", "re_3", "10") == "applied"
    if "currency" in fields:
        assert kinds(api) == ["amount_mismatch"], "it is known only as pending"
    refund_event(api, order, "succeeded", "re_1", "10", event_id="evt_right")
    assert entries(api) == []


def test_a_refund_requested_before_a_failure_was_known_does_not_make_up_for_it(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    requested(api, order, amount="20")
    refund_event(api, order, "succeeded", "re_1", "20", occurred_at="2026-01-01T00:00:00Z")
    expect(200, set_status(api, requested(api, order, amount="20"), "succeeded"))
    refund_event(api, order, "failed", "re_1", "20", occurred_at="2026-01-02T00:00:00Z")
    assert kinds(api) == ["refund_failed"]
    expect(200, set_status(api, requested(api, order, amount="20"), "succeeded"))
    assert kinds(api) == []
