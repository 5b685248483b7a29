"""A refund or dispute that needs a person is listed, with what to do, until the money adds up."""

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import RECONCILIATION
from tests.handlers.lists import follow_cursors
from tests.handlers.reconciliation import action, entries, kinds
from tests.handlers.refunds import (
    dispute,
    paid_order,
    pay_again,
    payments,
    refund_event,
    refunds,
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


def test_too_much_money_that_went_back_is_listed_with_its_parts(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order, amount="60")
    refund_event(api, order, "succeeded", "re_1", "70")

    def message() -> str:
        [found] = [one["message"] for one in entries(api) if one["kind"] == "over_refunded"]
        return str(found)

    parts = "More money goes back than the payment of 100.00 USD: 70.00 by refunds that succeeded"
    under_way = "60.00 by refunds that are requested or under way"
    assert message() == f"{parts}, {under_way}."
    assert action(api, "over_refunded").startswith("If a program makes your refunds, stop it first. ")
    dispute(api, order, "lost")
    assert message() == f"{parts}, 100.00 by lost disputes, {under_way}."
    expect(200, set_status(api, refunds(api, order)[0], "canceled"))
    assert message() == f"{parts}, 100.00 by lost disputes."
    assert action(api, "over_refunded").startswith("Look up the refunds and the disputes at the processor.")


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
    assert entry["action"] == (
        "If a program makes your refunds, read its log, and stop it first. "
        + {
            "requested": "Then make the refund at the processor, or cancel it here.",
            "pending": "Then look up the refund at the processor. If it was made, set it to succeeded here. If it was"
            " not, make it there, or cancel it here.",
        }[status]
    )
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


@pytest.mark.parametrize("fields", [{"amount": "x"}, {"currency": "EUR"}])
def test_a_refund_that_cannot_be_applied_is_listed(api: ApiClient, fields: dict[str, str]) -> None:
    order = paid_order(api)
    assert refund_event(api, order, "succeeded", "re_1", **{"amount": "10", **fields}) == "needs_review"
    assert action(api, "amount_mismatch").endswith("If this entry stays, acknowledge it.")


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


@pytest.mark.parametrize(
    ("type_", "advice"),
    [("refund.succeeded", " If this refund was made, request it here, and set it to succeeded."), ("dispute.lost", "")],
)
def test_another_refund_or_dispute_under_one_event_id_says_what_to_do(api: ApiClient, type_: str, advice: str) -> None:
    order = paid_order(api)
    refund_event(api, order, "succeeded", "re_1", "10", event_id="evt_1")
    assert refund_event(api, order, "", "re_2", "20", event_id="evt_1", type=type_) == "needs_review"
    assert action(api, "conflicting_event") == (
        f"Search the inbox for this event ID, and look up both at the processor.{advice} Then acknowledge this entry."
    )


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
