"""The amount and the currency of a payment event, compared with the order."""

from typing import Any

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.conftest import new_order
from tests.stripe_events import stripe_event


@pytest.mark.parametrize("money", [{"amount": "4,50"}, {"amount": ""}, {"amount": "4.50", "currency": "$"}])
def test_a_payment_of_an_unreadable_amount_needs_review(
    api: ApiClient, order: dict[str, Any], money: dict[str, str]
) -> None:
    assert expect(200, api.pay(order["id"], **money))["outcome"] == "needs_review"
    assert api.payment_status(order["id"]) == "unpaid"
    assert expect(200, api.pay(order["id"], "failed", **money))["outcome"] == "applied"


@pytest.mark.parametrize(
    ("money", "outcome"),
    [
        ({"amount": "4.50", "currency": "USD"}, "applied"),
        ({"amount": "4.5", "currency": "usd"}, "applied"),
        ({"amount": 4.5}, "applied"),
        ({"currency": "USD"}, "applied"),
        ({"amount": "4.49", "currency": "USD"}, "needs_review"),
        ({"amount": "4.51"}, "needs_review"),
        ({"amount": "4.500001"}, "needs_review"),
        ({"amount": "0"}, "needs_review"),
        ({"amount": "4.50", "currency": "EUR"}, "needs_review"),
        ({"currency": "JPY"}, "needs_review"),
    ],
)
def test_amount_and_currency_are_compared_if_the_event_has_them(
    api: ApiClient, order: dict[str, Any], money: dict[str, Any], outcome: str
) -> None:
    assert expect(200, api.pay(order["id"], "paid", **money))["outcome"] == outcome
    assert api.payment_status(order["id"]) == ("paid" if outcome == "applied" else "unpaid")


@pytest.mark.parametrize("money", [{"amount": "4.49"}, {"amount": "0"}, {"currency": "JPY"}])
def test_a_failure_moved_no_money_so_its_amount_does_not_matter(
    api: ApiClient, order: dict[str, Any], money: dict[str, Any]
) -> None:
    assert expect(200, api.pay(order["id"], "failed", **money))["outcome"] == "applied"
    assert api.payment_status(order["id"]) == "failed"


@pytest.mark.parametrize("others", ["USD", "JPY"])
def test_a_payment_is_compared_with_the_currency_that_the_order_was_placed_in(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, others: str
) -> None:
    monkeypatch.setenv("CURRENCY", "EUR")
    order, foreign = new_order(api), new_order(api)
    monkeypatch.setenv("CURRENCY", others)
    assert expect(200, api.pay(foreign["id"], amount="4.50", currency=others))["outcome"] == "needs_review"
    [entry] = api.items("/api/reconciliation", kind="amount_mismatch")
    event = entry["payment_event"]
    assert (event["reason"], event["message"]) == (
        "currency_differs",
        "A payment was reported, but its currency is not the one of the order.",
    )
    assert event["action"].startswith("If your program created the payment in a wrong currency, correct the program. ")
    assert expect(200, api.pay(order["id"], amount="4.50", currency="EUR"))["outcome"] == "applied"


@pytest.mark.parametrize(
    ("currency", "price", "units"),
    [
        ("JPY", "1990", 1990),
        ("MGA", "1990", 1990),
        # Without decimal places, but Stripe sends two.
        ("UGX", "5000", 500000),
        ("ISK", "5000", 500000),
        ("HUF", "19.90", 1990),
        ("KWD", "18.60", 18600),
    ],
)
def test_an_amount_of_stripe_is_in_the_minor_unit_of_its_currency(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, currency: str, price: str, units: int
) -> None:
    monkeypatch.setenv("CURRENCY", currency)
    order = api.order((api.create_product(price=price)["id"], 1))
    event = stripe_event(amount_received=units, currency=currency.lower(), metadata={"order_id": order["id"]})
    assert expect(200, api.deliver(event, "stripe"))["outcome"] == "applied"
