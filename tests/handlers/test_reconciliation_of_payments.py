"""A payment that is not as expected is listed, with what to do, until the money adds up."""

import pytest
from pg8000.native import Connection

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.reconciliation import MAKE_IT, TOO, action, entries, kinds
from tests.handlers.refunds import cancel, paid_order, pay_again, payments, requested, set_status, unpaid_order

pytestmark = pytest.mark.usefixtures("expect_no_violations")


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
    order = unpaid_order(api)
    pay_again(api, order, "pi_1", amount="90")
    assert kinds(api) == ["amount_mismatch"]
    assert pay_again(api, order, "pi_1", amount="100", event_id="evt_corrected") == "applied"
    assert entries(api) == []


@pytest.mark.parametrize("is_refunded", [True, False])
def test_a_wrong_amount_ends_when_it_went_back_or_the_rest_was_paid(api: ApiClient, *, is_refunded: bool) -> None:
    order = unpaid_order(api)
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
    order = unpaid_order(api)
    pay_again(api, order, "pi_1", amount="90")
    expect(200, cancel(api, order))
    assert action(api, "amount_mismatch") == "Request a refund of the payment here, or make it at the processor."
    expect(200, set_status(api, requested(api, order), "succeeded"))
    assert entries(api) == []


def test_too_much_money_ends_when_the_excess_went_back(api: ApiClient) -> None:
    order = unpaid_order(api)
    pay_again(api, order, "pi_1", amount="110")
    expect(200, api.change_status(order["id"], "completed"))
    assert kinds(api) == ["amount_mismatch"]
    expect(200, set_status(api, requested(api, order, amount="10"), "succeeded"))
    assert entries(api) == []


def test_a_refund_of_what_is_too_much_asks_for_no_refund_of_the_rest(api: ApiClient) -> None:
    order = unpaid_order(api, price="29.00")
    pay_again(api, order, "pi_1", amount="32")
    requested(api, order, amount="3")
    expected = f"A refund of 3.00 USD is requested. {MAKE_IT} If you do not accept the rest either, refund it, too."
    [entry] = entries(api)
    assert (entry["kind"], entry["action"]) == ("amount_mismatch", expected)
    assert entry["payment_event"]["action"] == expected
    assert api.items("/api/payment-events")[0]["action"] == expected


def test_a_refund_of_a_whole_wrong_amount_leaves_no_rest(api: ApiClient) -> None:
    order = unpaid_order(api)
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
    order = unpaid_order(api)
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


def test_money_without_an_order_says_how_its_entry_ends(api: ApiClient) -> None:
    api.pay(UNKNOWN, event_id="evt_1")
    assert action(api, "event_without_order").count("acknowledge this entry.") == 2
    [event] = api.items("/api/payment-events")
    assert "acknowledge the entry of the reconciliation." in event["action"]


@pytest.mark.parametrize("canceled", [False, True])
@pytest.mark.parametrize("unreadable", ["x", "0"])
def test_an_unreadable_amount_ends_when_the_payment_is_known(
    api: ApiClient, unreadable: str, *, canceled: bool
) -> None:
    order = unpaid_order(api)
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
    order = unpaid_order(api)
    pay_again(api, order, "pi_1", amount="x")
    assert pay_again(api, order, "pi_2") == "applied"
    assert kinds(api) == ["amount_mismatch"]


def test_a_changed_amount_ends_when_the_payment_went_back(api: ApiClient, database: Connection) -> None:
    order = unpaid_order(api)
    pay_again(api, order, "pi_1", amount="90")
    assert pay_again(api, order, "pi_1", amount="95", event_id="evt_changed") == "needs_review"
    assert kinds(api) == ["amount_mismatch", "amount_mismatch"]
    expect(200, set_status(api, requested(api, order, amount="89"), "succeeded"))
    assert kinds(api) == ["amount_mismatch", "amount_mismatch"]
    expect(200, set_status(api, requested(api, order), "succeeded"))
    assert entries(api) == []
    assert database.run("SELECT held_since FROM orders") == [[None]]
