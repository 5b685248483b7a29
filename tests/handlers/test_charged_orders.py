"""Payments of orders with charges, also of orders that cost nothing."""

from typing import Any

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import last_timeline_event, only_event
from tests.stripe_events import stripe_event

pytestmark = pytest.mark.usefixtures("expect_no_violations")

SHIPPING = {"kind": "shipping", "label": "Parcel", "amount": "4.90"}
TAX = {"kind": "tax", "label": "VAT", "amount": "0.38"}
GIFT_CARD = {"kind": "discount", "label": "Gift card", "amount": "-4.50"}


def order_with(api: ApiClient, *charges: dict[str, str]) -> dict[str, Any]:
    """A pending order for one unit at 4.50, and these charges."""
    return api.order((api.create_product()["id"], 1), charges=list(charges))


@pytest.fixture
def free_order(api: ApiClient) -> dict[str, Any]:
    return order_with(api, GIFT_CARD)


@pytest.mark.parametrize(
    ("amount", "outcome"),
    # The sum of the line items, without shipping, without tax, twice the tax.
    [
        ("9.78", "applied"),
        ("4.50", "needs_review"),
        ("4.88", "needs_review"),
        ("9.40", "needs_review"),
        ("10.16", "needs_review"),
    ],
)
def test_a_payment_is_compared_with_the_total_that_includes_the_charges(
    api: ApiClient, amount: str, outcome: str
) -> None:
    order = order_with(api, SHIPPING, TAX)
    assert order["total_price"] == "9.78"
    assert expect(200, api.pay(order["id"], amount=amount, currency="USD"))["outcome"] == outcome


def test_a_checkout_with_shipping_and_tax_pays_for_its_order(api: ApiClient) -> None:
    order = order_with(api, SHIPPING, TAX)
    # amount_subtotal is the sum of the line items at Stripe, without shipping, tax and discounts.
    details = {"amount_shipping": 490, "amount_tax": 38, "amount_discount": 0}
    session = {"amount_subtotal": 450, "amount_total": 978, "total_details": details, "payment_status": "paid"}
    body = stripe_event("checkout.session.completed", **session, currency="usd", metadata={"order_id": order["id"]})
    assert expect(200, api.deliver(body, "stripe"))["outcome"] == "applied"


def test_a_tax_that_only_the_processor_added_needs_review(api: ApiClient) -> None:
    order = order_with(api, SHIPPING)
    session = {"amount_total": 978, "automatic_tax": {"enabled": True, "status": "complete"}, "payment_status": "paid"}
    body = stripe_event("checkout.session.completed", **session, currency="usd", metadata={"order_id": order["id"]})
    assert expect(200, api.deliver(body, "stripe"))["outcome"] == "needs_review"
    assert only_event(api)["reason"] == "amount_differs"


def test_a_partly_captured_payment_needs_review(api: ApiClient) -> None:
    order = order_with(api, SHIPPING, TAX)
    body = stripe_event(amount=978, amount_received=490, currency="usd", metadata={"order_id": order["id"]})
    assert expect(200, api.deliver(body, "stripe"))["outcome"] == "needs_review"


@pytest.mark.parametrize("fields", [{"amount": "0"}, {"amount": 0, "currency": "USD"}])
def test_a_payment_of_nothing_for_an_order_that_costs_nothing_is_a_duplicate(
    api: ApiClient, free_order: dict[str, Any], fields: dict[str, Any]
) -> None:
    assert (free_order["total_price"], free_order["payment_status"]) == ("0.00", "paid")
    assert expect(200, api.pay(free_order["id"], **fields))["outcome"] == "duplicate"
    assert only_event(api)["reason"] == "same_status"


def test_a_session_without_payment_for_an_order_that_costs_nothing_is_a_duplicate(
    api: ApiClient, free_order: dict[str, Any]
) -> None:
    session = {"amount_total": 0, "payment_status": "no_payment_required", "payment_intent": None}
    body = stripe_event("checkout.session.completed", **session, metadata={"order_id": free_order["id"]})
    assert expect(200, api.deliver(body, "stripe"))["outcome"] == "duplicate"


def test_a_session_without_payment_does_not_pay_for_an_order(api: ApiClient) -> None:
    """For example, because of a coupon that only the processor knows."""
    order = order_with(api, SHIPPING)
    session = {"amount_total": 0, "payment_status": "no_payment_required", "payment_intent": None}
    body = stripe_event("checkout.session.completed", **session, metadata={"order_id": order["id"]})
    assert expect(200, api.deliver(body, "stripe"))["outcome"] == "needs_review"
    assert api.payment_status(order["id"]) == "unpaid"


@pytest.mark.parametrize("status", ["pending", "completed", "canceled"])
@pytest.mark.parametrize("money", [{"amount": "4.50", "currency": "USD"}, {}, {"currency": "USD"}, {"amount": None}])
def test_money_for_an_order_that_costs_nothing_needs_review_also_if_its_amount_is_missing(
    api: ApiClient, free_order: dict[str, Any], status: str, money: dict[str, Any]
) -> None:
    if status != "pending":
        expect(200, api.change_status(free_order["id"], status))
    assert expect(200, api.pay(free_order["id"], **money))["outcome"] == "needs_review"
    [entry] = api.items("/api/reconciliation", kind="amount_mismatch")
    assert entry["payment_event"]["reason"] == "amount_differs"
    assert entry["action"] == "The order costs nothing. " + (
        "Request a refund of the payment here, or make it at the processor."
        if money.get("amount")
        # There is no payment that a refund could be requested of.
        else "Refund the payment at the processor. If this entry stays, acknowledge it."
    )


def test_a_failure_does_not_change_an_order_that_costs_nothing(api: ApiClient, free_order: dict[str, Any]) -> None:
    assert expect(200, api.pay(free_order["id"], "failed"))["outcome"] == "ignored"
    assert last_timeline_event(api, free_order)["reason"] == "order_paid"
    assert api.payment_status(free_order["id"]) == "paid"
