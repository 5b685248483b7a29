"""The amount of a refund: at most what is left of the payment, in its currency."""

from typing import Any

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.refunds import (
    ask,
    dispute,
    line,
    money,
    paid_order,
    pay_again,
    payments,
    refund_event,
    refunds,
    requested,
    set_status,
)


@pytest.mark.usefixtures("expect_no_violations")
def test_three_partial_refunds_add_up_to_the_whole_payment(api: ApiClient) -> None:
    order = paid_order(api)
    states = [money(api, order)]
    for amount in ("33.33", "33.33", "33.34"):
        refund = requested(api, order, amount=amount)
        states.append(money(api, order))
        expect(200, set_status(api, refund, "succeeded"))
        states.append(money(api, order))
    assert [state[1:] for state in states] == [
        ("0.00", "none"),
        ("0.00", "pending"),
        ("33.33", "partial"),
        ("33.33", "pending"),
        ("66.66", "partial"),
        ("66.66", "pending"),
        ("100.00", "full"),
    ]
    assert ask(api, order, {"amount": "0.01"}).problem() == (422, "refund-too-large")


def test_a_refund_is_at_most_what_is_left(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order, amount="60.00")
    response = ask(api, order, {"amount": "40.01"})
    assert response.problem() == (422, "refund-too-large")
    assert response.json["amount_left"] == "40.00"
    assert response.json["detail"] == "The refund would be 40.01, but only 40.00 is left of the payment."
    assert requested(api, order)["amount"] == "40.00"


@pytest.mark.parametrize(("status", "left"), [("pending", "40.00"), ("succeeded", "40.00")])
def test_a_refund_that_is_executed_or_succeeded_leaves_less(api: ApiClient, status: str, left: str) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order, amount="60.00"), status))
    assert ask(api, order, {"amount": "60.00"}).json["amount_left"] == left


@pytest.mark.parametrize("status", ["canceled", "failed"])
def test_a_refund_that_returned_no_money_can_be_requested_again(api: ApiClient, status: str) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order), status))
    assert money(api, order) == ("100.00", "0.00", "none")
    assert requested(api, order)["amount"] == "100.00"


def test_a_refund_that_succeeded_and_failed_later_can_be_requested_again(api: ApiClient) -> None:
    order = paid_order(api)
    refund = requested(api, order)
    for status in ("succeeded", "failed"):
        expect(200, set_status(api, refund, status))
    assert requested(api, order)["amount"] == "100.00"


def test_an_order_without_a_payment_has_nothing_to_refund(api: ApiClient, order: dict[str, Any]) -> None:
    for body in ({}, {"amount": "0.01"}, {"lines": [line(order, 1, restock=True)]}):
        response = ask(api, order, body)
        assert response.problem() == (422, "refund-too-large")
        assert response.json["amount_left"] == "0.00"
        assert response.json["detail"] == "The order has no payment that can be refunded."
    assert refunds(api, order) == []


def test_nothing_is_left_of_a_payment_that_was_refunded(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order)
    assert ask(api, order).json["detail"] == "Nothing is left of the payment."


def test_an_order_with_a_total_of_0_has_nothing_to_refund(api: ApiClient) -> None:
    charges = [{"kind": "discount", "label": "Gift", "amount": "-4.50"}]
    order = api.order((api.create_product()["id"], 1), charges=charges)
    assert order["payment_status"] == "paid"
    assert ask(api, order).problem() == (422, "refund-too-large")


def test_a_failed_payment_is_nothing_to_refund(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], "failed"))
    assert ask(api, order).problem() == (422, "refund-too-large")


def test_lines_with_a_discount_are_larger_than_what_was_paid(api: ApiClient) -> None:
    discount = {"kind": "discount", "label": "Voucher", "amount": "-0.01"}
    order = paid_order(api, price="50.00", units=2, charges=[discount])
    response = ask(api, order, {"lines": [line(order, 2, restock=True)]})
    assert response.problem() == (422, "refund-too-large")
    assert response.json["amount_left"] == "99.99"
    assert refunds(api, order) == []
    both = requested(api, order, amount="99.99", lines=[line(order, 2, restock=True)])
    assert (both["amount"], both["lines"]) == ("99.99", [line(order, 2, restock=True)])


def test_lines_alone_do_not_include_the_shipping(api: ApiClient) -> None:
    shipping = {"kind": "shipping", "label": "Parcel", "amount": "4.90"}
    order = paid_order(api, price="50.00", charges=[shipping])
    assert requested(api, order, lines=[line(order, 1, restock=False)])["amount"] == "50.00"
    assert requested(api, order)["amount"] == "4.90"


def test_the_amount_can_be_less_or_more_than_the_sum_of_the_lines(api: ApiClient) -> None:
    order = paid_order(api, price="10.00", units=10)
    for amount in ("1.00", "25.00"):
        refund = requested(api, order, amount=amount, lines=[line(order, 2, restock=False)])
        assert (refund["amount"], refund["lines"][0]["quantity"]) == (amount, 2)


@pytest.mark.usefixtures("expect_no_violations")
def test_a_payment_in_another_currency_is_refunded_in_it(api: ApiClient, order: dict[str, Any]) -> None:
    assert pay_again(api, order, "pi_eur", amount="4.20", currency="EUR") == "needs_review"
    refund = requested(api, order, amount="4.00")
    assert (refund["amount"], refund["currency"]) == ("4.00", "EUR")
    assert requested(api, order)["amount"] == "0.20"
    assert money(api, order) == ("0.00", "0.00", "pending")


def test_lines_in_another_currency_than_the_payment_need_an_amount(api: ApiClient, order: dict[str, Any]) -> None:
    pay_again(api, order, "pi_jpy", amount="500", currency="JPY")
    lines = [line(order, 1, restock=True)]
    response = ask(api, order, {"lines": lines})
    assert response.problem() == (422, "invalid-request")
    assert response.json["errors"] == [
        {
            "detail": "Input is required, because the payment is in JPY, and the prices are in USD",
            "pointer": "#/amount",
        }
    ]
    assert requested(api, order, lines=lines, amount="480")["lines"] == lines


def test_an_amount_has_the_decimal_places_of_the_payments_currency(
    api: ApiClient, order: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert pay_again(api, order, "pi_jpy", amount="500", currency="JPY") == "needs_review"
    response = ask(api, order, {"amount": "4.50"})
    assert response.problem() == (422, "invalid-request")
    assert response.json["errors"] == [
        {"detail": "Input should be a whole number, because JPY has no decimal places", "pointer": "#/amount"}
    ]
    assert requested(api, order, amount="450.00")["amount"] == "450.00"
    # The shop sells in another currency now.
    dollars = paid_order(api, price="4.50")
    monkeypatch.setenv("CURRENCY", "JPY")
    assert requested(api, dollars, amount="1.25")["currency"] == "USD"


def test_an_amount_with_more_places_than_the_api_accepts_is_refunded_in_full(
    api: ApiClient, order: dict[str, Any]
) -> None:
    assert pay_again(api, order, "pi_kwd", amount="1.234", currency="KWD") == "needs_review"
    assert requested(api, order)["amount"] == "1.234"
    assert ask(api, order, {"amount": "0.01"}).problem() == (422, "refund-too-large")


def test_nothing_is_left_of_a_payment_that_returned_more_than_it_brought(api: ApiClient) -> None:
    order = paid_order(api)
    requested(api, order, amount="60.00")
    assert refund_event(api, order, "succeeded", "re_dashboard", "70.00") == "applied"
    [payment] = payments(api, order)
    assert (payment["refunded_amount"], payment["amount_left"]) == ("70.00", "0.00")
    assert ask(api, order, {"payment_id": payment["id"]}).json["amount_left"] == "0.00"
    assert [entry["kind"] for entry in api.items("/api/reconciliation")] == ["over_refunded"]
    # A second payment can be refunded without naming it.
    pay_again(api, order, "pi_second")
    assert requested(api, order)["payment_reference"] == "pi_second"


def test_a_lost_dispute_leaves_nothing_to_refund(api: ApiClient) -> None:
    order = paid_order(api)
    dispute(api, order, "lost", amount="70.00", currency="USD")
    assert ask(api, order, {"amount": "30.01"}).json["amount_left"] == "30.00"
    assert requested(api, order)["amount"] == "30.00"


def test_a_refund_at_the_processor_leaves_less(api: ApiClient) -> None:
    order = paid_order(api)
    assert refund_event(api, order, "succeeded", "re_dashboard", "70.00") == "applied"
    assert ask(api, order, {"amount": "30.01"}).json["amount_left"] == "30.00"


def test_a_payment_shows_what_is_left_of_it(api: ApiClient) -> None:
    order = paid_order(api)
    expect(200, set_status(api, requested(api, order, amount="25.00"), "succeeded"))
    requested(api, order, amount="5.00")
    [payment] = payments(api, order)
    assert (payment["amount"], payment["refunded_amount"], payment["amount_left"]) == ("100.00", "25.00", "70.00")


AMOUNTS_REFUSED = [
    *("0", "0.00", "-0", "-1", "-0.01", "1e2", " 5", "5 ", "+5", "1_0", "1,00", "0x10", "٥", "", "NaN", "Infinity"),
    *("0.001", "100000000", "9" * 400, "5\0", "null"),
    *(0, -0.0, -1, 0.001, 1e300, 100000000, True, [], {}, ["5"], {"amount": "5"}),
]


@pytest.mark.parametrize("amount", AMOUNTS_REFUSED)
def test_an_amount_is_a_plain_number_above_0(api: ApiClient, amount: Any) -> None:
    order = paid_order(api)
    assert ask(api, order, {"amount": amount}).problem() == (422, "invalid-request")
    assert refunds(api, order) == []


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"1e-400", b"NaN", b"Infinity", b"9" * 5000, b"0e5", b"-0"])
def test_a_number_that_is_no_amount_is_refused(api: ApiClient, number: bytes) -> None:
    order = paid_order(api)
    response = ask(api, order, b'{"amount": %s}' % number)
    assert response.status in (400, 422)
    assert refunds(api, order) == []


@pytest.mark.parametrize("amount", ["5", "5.0", "5.00", "005", 5, 5.0])
def test_equal_amounts_in_other_notations_are_equal(api: ApiClient, amount: Any) -> None:
    assert requested(api, paid_order(api), amount=amount)["amount"] == "5.00"
