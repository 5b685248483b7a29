"""Each entry of the reconciliation says what to do, and ends when the money adds up. It never ends before."""

from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.inbox import RECONCILIATION, timeline
from tests.handlers.lists import follow_cursors
from tests.handlers.refunds import (
    Order,
    cancel,
    dispute,
    paid_order,
    pay_again,
    payments,
    refund_event,
    requested,
    set_status,
)

MAKE_IT = "Make it at the processor, if no program of your shop does."
TOO = "Request a refund of the other 10.00 USD, too, or make it at the processor."

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def entries(api: ApiClient) -> list[dict[str, Any]]:
    found = api.items(RECONCILIATION)
    keys = [(one["kind"], one["id"]) for one in found]
    assert len(set(keys)) == len(keys), "a kind and an ID name one entry"
    for one in found:
        assert one["message"].endswith(".")
        assert one["action"].endswith(".")
        assert "wait" not in one["action"].lower(), "each entry needs a person"
    return found


def kinds(api: ApiClient) -> list[str]:
    return [one["kind"] for one in entries(api)]


def action(api: ApiClient, kind: str) -> str:
    [found] = [one["action"] for one in entries(api) if one["kind"] == kind]
    return str(found)


def new_order(api: ApiClient, price: str = "100.00") -> Order:
    """A pending order that is not paid."""
    return api.order((api.create_product(price=price)["id"], 1))


def late(database: Connection, days: int = 8) -> None:
    """Let all refunds be some days old."""
    database.run(f"UPDATE refunds SET requested_at = requested_at - interval '{days} days'")


def canceled_after_payment(api: ApiClient) -> Order:
    order = paid_order(api)
    expect(200, cancel(api, order))
    return order


def paid_after_cancellation(api: ApiClient) -> Order:
    order = new_order(api)
    expect(200, cancel(api, order))
    assert pay_again(api, order, f"pi_{order['number']}") == "needs_refund"
    return order


CANCELED = pytest.mark.parametrize("canceled", [canceled_after_payment, paid_after_cancellation])


@CANCELED
def test_money_without_goods_is_listed_until_its_refund_succeeds(api: ApiClient, canceled: Any) -> None:
    order = canceled(api)
    [entry] = entries(api)
    assert (entry["kind"], entry["order"]["id"]) == ("paid_and_canceled", order["id"])
    assert entry["action"].startswith("Request a refund")
    refund = requested(api, order)
    assert [one["id"] for one in entries(api)] == [entry["id"]]
    assert action(api, "paid_and_canceled") == f"A refund of 100.00 USD is requested. {MAKE_IT}"
    # It is on its way.
    expect(200, set_status(api, refund, "pending"))
    assert entries(api) == []
    expect(200, set_status(api, refund, "succeeded"))
    assert entries(api) == []


@CANCELED
@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_money_without_goods_is_listed_again_if_its_refund_does_not_succeed(
    api: ApiClient, canceled: Any, end: str
) -> None:
    order = canceled(api)
    [entry] = entries(api)
    refund = requested(api, order)
    expect(200, set_status(api, refund, "pending"))
    expect(200, set_status(api, refund, end))
    assert kinds(api) == ["paid_and_canceled"] + ["refund_failed"] * (end == "failed")
    assert entries(api)[0]["id"] == entry["id"]


def test_a_bank_that_returns_a_refund_lists_the_order_again(api: ApiClient) -> None:
    order = canceled_after_payment(api)
    assert refund_event(api, order, "succeeded", "re_1", "100") == "applied"
    assert entries(api) == []
    assert refund_event(api, order, "failed", "re_1", "100") == "applied"
    assert kinds(api) == ["paid_and_canceled", "refund_failed"]
    assert refund_event(api, order, "succeeded", "re_2", "100") == "applied"
    assert entries(api) == []


@CANCELED
def test_a_partial_refund_ends_nothing(api: ApiClient, canceled: Any) -> None:
    order = canceled(api)
    expect(200, set_status(api, requested(api, order, amount="60"), "succeeded"))
    assert kinds(api) == ["paid_and_canceled"]
    requested(api, order, amount="30")
    assert action(api, "paid_and_canceled") == (f"A refund of 30.00 USD is requested. {MAKE_IT} {TOO}")
    expect(200, set_status(api, requested(api, order), "pending"))
    assert action(api, "paid_and_canceled") == (
        f"A refund of 10.00 USD is under way. A refund of 30.00 USD is requested. {MAKE_IT}"
    )
    for refund in api.items("/api/refunds", status="requested"):
        expect(200, set_status(api, refund, "succeeded"))
    assert entries(api) == []


@CANCELED
def test_a_lost_dispute_returns_the_money_of_a_canceled_order(api: ApiClient, canceled: Any) -> None:
    order = canceled(api)
    dispute(api, order)
    assert kinds(api) == ["paid_and_canceled", "disputed"]
    assert action(api, "paid_and_canceled").endswith("First follow the entry of the open dispute: it stops refunds.")
    dispute(api, order, "won")
    assert kinds(api) == ["paid_and_canceled"]
    dispute(api, order, "lost", event_id="evt_reopened")
    assert entries(api) == []


def test_a_canceled_order_without_a_price_is_not_listed(api: ApiClient) -> None:
    tea = api.create_product()["id"]
    gift = api.order((tea, 1), charges=[{"kind": "discount", "label": "Gift", "amount": "-4.50"}])
    expect(200, cancel(api, gift))
    assert entries(api) == []


def test_cancel_and_refund_leaves_nothing_to_do_after_the_refunds(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_again")
    expect(200, cancel(api, order, refund=True))
    assert kinds(api) == ["paid_and_canceled", "paid_twice"]
    for refund in api.items("/api/refunds", status="requested"):
        assert "is requested." in action(api, "paid_and_canceled")
        expect(200, set_status(api, refund, "pending"))
    assert entries(api) == []


@pytest.mark.parametrize("number", [0, 1], ids=["first", "second"])
@pytest.mark.parametrize("status", ["pending", "completed"])
def test_a_second_payment_ends_with_a_refund_of_either_payment(api: ApiClient, status: str, number: int) -> None:
    order = paid_order(api)
    assert pay_again(api, order, "pi_again") == "needs_refund"
    if status == "completed":
        expect(200, api.change_status(order["id"], "completed"))
    [entry] = entries(api)
    assert (entry["kind"], entry["payment"]["reference"]) == ("paid_twice", "pi_again")
    refund = requested(api, order, payment_id=payments(api, order)[number]["id"])
    assert kinds(api) == ["paid_twice"]
    expect(200, set_status(api, refund, "succeeded"))
    assert entries(api) == []
    # Goods that come back later are no mismatch.
    other = payments(api, order)[1 - number]["id"]
    expect(200, set_status(api, requested(api, order, payment_id=other, amount="30"), "succeeded"))
    assert entries(api) == []


def test_a_partial_refund_of_a_second_payment_ends_nothing(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_again")
    second = payments(api, order)[1]["id"]
    expect(200, set_status(api, requested(api, order, payment_id=second, amount="99.99"), "succeeded"))
    assert kinds(api) == ["paid_twice"]
    expect(200, set_status(api, requested(api, order, payment_id=second), "succeeded"))
    assert entries(api) == []


def test_a_payment_in_another_currency_ends_only_with_its_own_refund(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_euro", currency="EUR")
    first, euro = (payment["id"] for payment in payments(api, order))
    [entry] = entries(api)
    assert entry["id"] == euro
    expect(200, set_status(api, requested(api, order, payment_id=first, amount="100"), "succeeded"))
    assert [one["id"] for one in entries(api)] == [euro]
    expect(200, set_status(api, requested(api, order, payment_id=euro, amount="99"), "succeeded"))
    assert [one["id"] for one in entries(api)] == [euro]
    expect(200, set_status(api, requested(api, order, payment_id=euro), "succeeded"))
    assert entries(api) == []


def test_a_corrected_amount_ends_the_entry(api: ApiClient) -> None:
    order = new_order(api)
    pay_again(api, order, "pi_1", amount="90")
    assert kinds(api) == ["amount_mismatch"]
    assert pay_again(api, order, "pi_1", amount="100", event_id="evt_corrected") == "applied"
    assert entries(api) == []


@pytest.mark.parametrize("is_refunded", [True, False])
def test_a_wrong_amount_ends_when_it_went_back_or_the_rest_was_paid(api: ApiClient, *, is_refunded: bool) -> None:
    order = new_order(api)
    pay_again(api, order, "pi_1", amount="90")
    expect(200, api.change_status(order["id"], "completed"))
    assert kinds(api) == ["completed_and_unpaid", "amount_mismatch"]
    if is_refunded:
        expect(200, set_status(api, requested(api, order), "succeeded"))
        assert kinds(api) == ["completed_and_unpaid"]
        assert "acknowledge this entry" in action(api, "completed_and_unpaid")
    else:
        pay_again(api, order, "pi_2", amount="10")
        assert entries(api) == []


def test_a_wrong_amount_of_a_canceled_order_is_refunded(api: ApiClient) -> None:
    order = new_order(api)
    pay_again(api, order, "pi_1", amount="90")
    expect(200, cancel(api, order))
    assert action(api, "amount_mismatch") == "Request a refund of the payment here, or make it at the processor."
    expect(200, set_status(api, requested(api, order), "succeeded"))
    assert entries(api) == []


def test_too_much_money_ends_when_the_excess_went_back(api: ApiClient) -> None:
    order = new_order(api)
    pay_again(api, order, "pi_1", amount="110")
    expect(200, api.change_status(order["id"], "completed"))
    assert kinds(api) == ["amount_mismatch"]
    expect(200, set_status(api, requested(api, order, amount="10"), "succeeded"))
    assert entries(api) == []


def test_a_refund_of_what_is_too_much_asks_for_no_refund_of_the_rest(api: ApiClient) -> None:
    order = new_order(api, price="29.00")
    pay_again(api, order, "pi_1", amount="32")
    requested(api, order, amount="3")
    expected = f"A refund of 3.00 USD is requested. {MAKE_IT} If you do not accept the rest either, refund it, too."
    [entry] = entries(api)
    assert (entry["kind"], entry["action"]) == ("amount_mismatch", expected)
    assert entry["payment_event"]["action"] == expected
    assert api.items("/api/payment-events")[0]["action"] == expected


def test_a_refund_of_a_whole_wrong_amount_leaves_no_rest(api: ApiClient) -> None:
    order = new_order(api)
    pay_again(api, order, "pi_1", amount="90")
    requested(api, order)
    assert action(api, "amount_mismatch") == f"A refund of 90.00 USD is requested. {MAKE_IT}"


@pytest.mark.parametrize("number", [0, 1], ids=["first", "second"])
def test_a_second_payment_asks_for_no_other_refund_while_one_of_either_payment_is_requested(
    api: ApiClient, number: int
) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_again")
    assert action(api, "paid_twice").startswith("Refund one of the payments.")
    requested(api, order, payment_id=payments(api, order)[number]["id"])
    [entry] = entries(api)
    assert entry["action"] == f"A refund of 100.00 USD is requested. {MAKE_IT}"
    assert entry["payment_event"]["action"] == entry["action"]


def test_a_partial_refund_of_a_second_payment_asks_for_the_rest(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_again")
    requested(api, order, payment_id=payments(api, order)[0]["id"], amount="90")
    assert action(api, "paid_twice") == f"A refund of 90.00 USD is requested. {MAKE_IT} {TOO}"


def test_a_late_payment_is_listed_until_it_went_back(api: ApiClient) -> None:
    order = new_order(api)
    expect(200, api.change_status(order["id"], "completed"))
    assert kinds(api) == ["completed_and_unpaid"]
    pay_again(api, order, "pi_1")
    assert kinds(api) == ["paid_after_completion"]
    expect(200, set_status(api, requested(api, order, amount="40"), "succeeded"))
    assert kinds(api) == ["paid_after_completion"]
    expect(200, set_status(api, requested(api, order), "succeeded"))
    [entry] = entries(api)
    assert (entry["kind"], entry["message"]) == (
        "completed_and_unpaid",
        "The order was completed, but its money went back.",
    )


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
    order = new_order(api)
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
    assert [one["id"] for one in entries(api)] == [both[1]["id"]]
    expect(200, set_status(api, requested(api, order, amount="20"), "succeeded"))
    assert entries(api) == []


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


def test_money_without_an_order_says_how_its_entry_ends(api: ApiClient) -> None:
    api.pay(UNKNOWN, event_id="evt_1")
    assert "acknowledge the entry" in action(api, "event_without_order")


@pytest.mark.parametrize("fields", [{"amount": "x"}, {"currency": "EUR"}])
def test_a_refund_that_cannot_be_applied_is_listed(api: ApiClient, fields: dict[str, str]) -> None:
    order = paid_order(api)
    assert refund_event(api, order, "succeeded", "re_1", **{"amount": "10", **fields}) == "needs_review"
    assert action(api, "amount_mismatch").endswith("Then acknowledge this entry.")


@pytest.mark.parametrize("canceled", [False, True])
@pytest.mark.parametrize("unreadable", ["x", "0"])
def test_an_unreadable_amount_ends_when_the_payment_is_known(
    api: ApiClient, unreadable: str, *, canceled: bool
) -> None:
    order = new_order(api)
    if canceled:
        expect(200, cancel(api, order))
    pay_again(api, order, "pi_1", amount=unreadable, event_id="evt_1")
    if canceled and unreadable == "0":
        assert entries(api) == []
        return
    assert kinds(api) == ["paid_and_canceled" if canceled else "amount_mismatch"]
    pay_again(api, order, "pi_1", amount="100", event_id="evt_2")
    if canceled:
        [entry] = entries(api)
        assert entry["payment"]["amount"] == "100.00"
        expect(200, set_status(api, requested(api, order), "succeeded"))
    assert entries(api) == []


def test_another_payment_does_not_end_an_unreadable_amount(api: ApiClient) -> None:
    order = new_order(api)
    pay_again(api, order, "pi_1", amount="x")
    assert pay_again(api, order, "pi_2") == "applied"
    assert kinds(api) == ["amount_mismatch"]


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


def test_a_changed_amount_ends_when_the_payment_went_back(api: ApiClient, database: Connection) -> None:
    order = new_order(api)
    pay_again(api, order, "pi_1", amount="90")
    assert pay_again(api, order, "pi_1", amount="95", event_id="evt_changed") == "needs_review"
    assert kinds(api) == ["amount_mismatch", "amount_mismatch"]
    expect(200, set_status(api, requested(api, order, amount="89"), "succeeded"))
    assert kinds(api) == ["amount_mismatch", "amount_mismatch"]
    expect(200, set_status(api, requested(api, order), "succeeded"))
    assert entries(api) == []
    assert database.run("SELECT held_since FROM orders") == [[None]]


def test_the_timeline_says_how_to_return_the_money_of_a_canceled_order(api: ApiClient) -> None:
    order = canceled_after_payment(api)

    def stated() -> str | None:
        [entry] = [one for one in timeline(api, order["id"]) if one["cause"] == "status_change"]
        action: str | None = entry["action"]
        return action

    assert stated() == "Request a refund of the payment here, or make it at the processor."
    requested(api, order)
    assert stated() is None


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
