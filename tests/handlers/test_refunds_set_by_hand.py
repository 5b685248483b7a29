"""Staff set the status of a refund by hand, and the processor reports something else later."""

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import RECONCILIATION, only_event
from tests.handlers.reconciliation import kinds
from tests.handlers.refunds import Order, Refund, money, paid_order, refund_event, refunds, requested, set_status

SET_TO_FAILED = ("needs_review", "refund_set_to_failed")


@pytest.fixture
def order(api: ApiClient) -> Order:
    return paid_order(api)


def failed_by_hand(api: ApiClient, order: Order, reference: str | None = None) -> Refund:
    """A refund of 30.00 that was claimed, and then set to failed."""
    refund = requested(api, order, amount="30.00")
    expect(200, set_status(api, refund, "pending"))
    failed: Refund = expect(200, set_status(api, refund, "failed", reference))
    return failed


def rows(api: ApiClient, order: Order) -> list[tuple[str, str | None]]:
    return [(one["status"], one["processor_reference"]) for one in refunds(api, order)]


@pytest.mark.parametrize("named_by", ["refund_id", "reference"])
def test_a_refund_that_staff_set_to_failed_and_that_succeeded_needs_review_and_counts(
    api: ApiClient, order: Order, named_by: str
) -> None:
    refund = failed_by_hand(api, order, "re_1" if named_by == "reference" else None)
    name = {"refund_id": refund["id"]} if named_by == "refund_id" else {}
    assert refund_event(api, order, "succeeded", "re_1", "30.00", **name) == "needs_review"
    assert rows(api, order) == [("failed", None), ("succeeded", "re_1")]
    assert money(api, order) == ("100.00", "30.00", "partial")
    # Nobody is asked to refund the money again.
    [entry] = api.items(RECONCILIATION)
    assert entry["kind"] == "amount_mismatch"
    assert (
        entry["message"] == "The processor reports that a refund of 30.00 USD succeeded which staff had set to failed."
    )
    assert entry["action"].startswith("The money went back: do not refund it again.")
    event = only_event(api, event_id="evt_re_1_succeeded")
    assert (event["outcome"], event["reason"], event["refund_id"]) == (*SET_TO_FAILED, refund["id"])


def test_the_second_report_of_that_success_counts_once(api: ApiClient, order: Order) -> None:
    refund = failed_by_hand(api, order)
    for name in ({"processor_refund_id": "re_1"}, {"processor_refund_id": None}, {"processor_refund_id": "re_1"}):
        for event_id in (str(name), f"again {name}"):
            refund_event(api, order, "succeeded", "", "30.00", refund_id=refund["id"], event_id=event_id, **name)
    assert rows(api, order) == [("failed", None), ("succeeded", "re_1")]
    assert kinds(api) == ["amount_mismatch"]
    for event in api.items("/api/payment-events", outcome="needs_review"):
        expect(200, api.call("POST", f"/api/payment-events/{event['id']}/replay"))
    assert rows(api, order) == [("failed", None), ("succeeded", "re_1")]
    assert kinds(api) == ["amount_mismatch"]


def test_a_success_with_another_reference_is_another_refund(api: ApiClient, order: Order) -> None:
    refund = failed_by_hand(api, order)
    for reference in ("re_1", "re_2"):
        assert refund_event(api, order, "succeeded", reference, "30.00", refund_id=refund["id"]) == "needs_review"
    assert rows(api, order) == [("failed", None), ("succeeded", "re_1"), ("succeeded", "re_2")]


@pytest.mark.parametrize("reference", ["re_1", None])
def test_after_that_success_the_bank_can_return_the_money(api: ApiClient, order: Order, reference: str | None) -> None:
    refund = failed_by_hand(api, order)
    for status in ("succeeded", "failed"):
        name = {"refund_id": refund["id"], "processor_refund_id": reference, "event_id": f"evt_{status}"}
        refund_event(api, order, status, "", "30.00", **name)
    assert rows(api, order) == [("failed", None), ("failed", reference)]
    assert money(api, order) == ("100.00", "0.00", "none")
    assert kinds(api) == ["amount_mismatch", "refund_failed"]


def test_a_failure_that_the_processor_reported_stays(api: ApiClient, order: Order) -> None:
    refund = failed_by_hand(api, order)
    refund_event(api, order, "failed", "re_1", "30.00", refund_id=refund["id"])
    assert refund_event(api, order, "succeeded", "re_1", "30.00", refund_id=refund["id"]) == "ignored"
    assert rows(api, order) == [("failed", "re_1")]
    assert kinds(api) == ["refund_failed"]


@pytest.mark.parametrize("is_reported", [True, False])
def test_a_late_report_of_a_success_that_staff_knew_changes_nothing(
    api: ApiClient, order: Order, *, is_reported: bool
) -> None:
    refund = requested(api, order, amount="30.00")
    name = {"refund_id": refund["id"]}
    if is_reported:
        refund_event(api, order, "succeeded", "re_1", "30.00", **name)
    else:
        expect(200, set_status(api, refund, "succeeded", "re_1"))
    expect(200, set_status(api, refund, "failed"))
    assert refund_event(api, order, "succeeded", "re_1", "30.00", **name, event_id="evt_late") == "ignored"
    assert rows(api, order) == [("failed", "re_1")]


@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_another_refund_that_brought_no_money_leaves_one_that_staff_set_to_succeeded(
    api: ApiClient, order: Order, status: str
) -> None:
    expect(200, set_status(api, requested(api, order, amount="30.00"), "succeeded"))
    refund_event(api, order, status, "re_other", "30.00")
    assert sorted(rows(api, order)) == sorted([("succeeded", None), (status, "re_other")])
    assert money(api, order) == ("100.00", "30.00", "partial")


def test_a_request_that_an_event_names_stays_open_if_only_another_refund_was_made_at_the_processor(
    api: ApiClient, order: Order
) -> None:
    assert refund_event(api, order, "succeeded", "re_dashboard", "10.00") == "applied"
    refund = requested(api, order, amount="30.00")
    named = {"type": "refund.pending", "order_id": order["id"], "refund_id": refund["id"], "amount": "30.00"}
    assert expect(200, api.deliver({**named, "event_id": "evt_1"}))["outcome"] == "applied"
    assert sorted(one["status"] for one in refunds(api, order)) == ["pending", "succeeded"]


def test_a_request_that_an_event_names_stays_open_if_the_event_is_about_another_request(
    api: ApiClient, order: Order
) -> None:
    named, made = requested(api, order, amount="30.00"), requested(api, order, amount="20.00")
    expect(200, set_status(api, made, "pending", "re_1"))
    assert refund_event(api, order, "succeeded", "re_1", "20.00", refund_id=named["id"]) == "applied"
    assert rows(api, order) == [("requested", None), ("succeeded", "re_1")]


def test_the_report_of_a_known_failure_is_no_new_failure(api: ApiClient, order: Order) -> None:
    failed = failed_by_hand(api, order)
    again = requested(api, order, amount="30.00")
    assert refund_event(api, order, "failed", "re_1", "30.00", refund_id=failed["id"]) == "applied"
    expect(200, set_status(api, again, "succeeded", "re_2"))
    # The second request made up for the failure.
    assert kinds(api) == []
