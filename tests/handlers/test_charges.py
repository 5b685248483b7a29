"""Charges: shipping, tax, discounts and fees on top of the line items."""

from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, Response, expect
from tests.handlers.tokens import customer_client
from tests.stripe_events import stripe_event


def charge(kind: str, amount: Any, label: str = "Charge") -> dict[str, Any]:
    return {"kind": kind, "label": label, "amount": amount}


def buy(api: ApiClient, *charges: dict[str, Any], price: str = "4.50", units: int = 2, **fields: Any) -> Response:
    products = [{"product_id": api.create_product(price=price)["id"], "quantity": units}]
    return api.call("POST", "/api/orders", {"customer_id": 7, "products": products, "charges": charges, **fields})


def test_the_total_is_the_sum_of_line_items_and_charges(api: ApiClient, database: Connection) -> None:
    charges = [
        charge("shipping", "4.9", "Parcel to Germany"),
        charge("tax", 1.33, "VAT 19 %"),
        charge("discount", "-2", "WELCOME"),
        charge("fee", 0, "Gift wrap 🎁"),
    ]
    order = expect(201, buy(api, *charges))
    assert (order["subtotal"], order["total_price"]) == ("9.00", "13.23")
    amounts = ["4.90", "1.33", "-2.00", "0.00"]
    assert order["charges"] == [{**one, "amount": amount} for one, amount in zip(charges, amounts, strict=True)]
    assert expect(200, api.get(f"/api/orders/{order['id']}")) == order
    assert violations(database) == []


def test_stripes_event_for_the_total_pays_the_order(api: ApiClient) -> None:
    order = expect(201, buy(api, charge("shipping", "4.90"), charge("tax", "1.33")))
    event = stripe_event(amount_received=1523, currency="usd", metadata={"order_id": order["id"]})
    assert expect(200, api.deliver(event, "stripe"))["outcome"] == "applied"


def test_many_small_charges_are_never_rounded(api: ApiClient) -> None:
    order = expect(201, buy(api, *[charge("tax", 0.1)] * 10, *[charge("tax", "0.01")] * 10, price="0.07", units=3))
    assert (order["subtotal"], order["total_price"]) == ("0.21", "1.31")


def test_no_charges_are_an_empty_list(api: ApiClient) -> None:
    assert expect(201, buy(api))["charges"] == []
    assert expect(201, buy(api, charges=None))["charges"] == []


@pytest.mark.parametrize(
    ("kind", "amount", "detail"),
    [
        ("tax", "0.005", "decimal"),
        ("tax", 0.005, "decimal"),
        ("tax", "-0.01", "at least 0"),
        ("shipping", -1, "at least 0"),
        ("fee", "-1", "at least 0"),
        ("discount", "0.01", "at most 0"),
        ("tax", "100000000", "less than or equal"),
        ("discount", "-100000000", "greater than or equal"),
        ("tax", "1e2", "decimal"),
        ("tax", None, "Decimal"),
    ],
)
def test_an_invalid_amount_returns_422(api: ApiClient, kind: str, amount: Any, detail: str) -> None:
    refused = buy(api, charge(kind, amount))
    assert refused.problem() == (422, "invalid-request")
    [error] = refused.json["errors"]
    assert error["pointer"] == "#/charges/0/amount"
    assert detail in error["detail"]


@pytest.mark.parametrize("kind", ["tax", "discount"])
@pytest.mark.parametrize("amount", ["-0", "-0.00", -0.0, 0])
def test_zero_has_no_sign(api: ApiClient, kind: str, amount: Any) -> None:
    assert expect(201, buy(api, charge(kind, amount)))["charges"][0]["amount"] == "0.00"


@pytest.mark.parametrize(
    ("changed", "pointer"),
    [
        ({"kind": "tip"}, "#/charges/0/kind"),
        ({"kind": None}, "#/charges/0/kind"),
        ({"label": ""}, "#/charges/0/label"),
        ({"label": "a" * 201}, "#/charges/0/label"),
        ({"label": "a\nb"}, "#/charges/0/label"),
        ({"label": "\u200b"}, "#/charges/0/label"),
        ({"id": 1}, "#/charges/0/id"),
    ],
)
def test_an_invalid_charge_returns_422(api: ApiClient, changed: dict[str, Any], pointer: str) -> None:
    refused = buy(api, {**charge("tax", "1"), **changed})
    assert refused.problem() == (422, "invalid-request")
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_an_order_has_at_most_20_charges(api: ApiClient) -> None:
    expect(201, buy(api, *[charge("fee", "1", "é" * 200)] * 20))
    assert buy(api, *[charge("fee", "1")] * 21).json["errors"][0]["pointer"] == "#/charges"


@pytest.mark.parametrize(("amount", "status"), [("190", 201), ("190.00", 201), ("190.5", 422)])
def test_a_charge_has_at_most_as_many_decimal_places_as_the_currency(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, amount: str, status: int
) -> None:
    monkeypatch.setenv("CURRENCY", "JPY")
    response = buy(api, charge("tax", amount), price="1900")
    assert response.status == status
    if status == 422:
        [error] = response.json["errors"]
        assert error["pointer"] == "#/charges/0/amount"
        assert "JPY has no decimal places" in error["detail"]
    else:
        assert (response.json["currency"], response.json["total_price"]) == ("JPY", "3990.00")


def test_only_the_shop_sends_charges(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    tea = api.create_product()["id"]
    monkeypatch.setenv("AUTH", "on")
    body = {"customer_id": 7, "products": [{"product_id": tea, "quantity": 1}]}
    for sent in ({"charges": [charge("discount", "-1")]}, {"charges": [charge("fee", "0")]}, {"reference": "A-1"}):
        assert customer_client(7).call("POST", "/api/orders", {**body, **sent}).problem() == (403, "forbidden")
    assert customer_client(7).stock(tea) == 10
    expect(201, customer_client(7).call("POST", "/api/orders", {**body, "charges": [], "note": "By bike, please"}))


def test_a_total_below_0_returns_422_and_no_stock_moves(api: ApiClient, database: Connection) -> None:
    refused = buy(api, charge("discount", "-9.01"))
    assert refused.problem() == (422, "total-too-small")
    assert "-0.01" in refused.json["detail"]
    assert database.run("SELECT quantity FROM products") == [[10]]


def test_a_discount_may_exceed_the_subtotal_if_other_charges_make_up_for_it(api: ApiClient) -> None:
    order = expect(201, buy(api, charge("discount", "-10"), charge("shipping", "1.01")))
    assert (order["subtotal"], order["total_price"], order["payment_status"]) == ("9.00", "0.01", "unpaid")


def test_charges_can_make_the_total_too_large(api: ApiClient) -> None:
    refused = buy(api, charge("fee", "0.01"), price="99999999.99", units=1)
    assert refused.problem() == (422, "total-too-large")
    order = expect(201, buy(api, charge("fee", "0.01"), charge("discount", "-0.01"), price="99999999.99", units=1))
    assert order["total_price"] == "99999999.99"
    # A sum of line items that alone would not fit.
    order = expect(201, buy(api, charge("discount", "-99999999.99"), price="99999999.99", units=2))
    assert (order["subtotal"], order["total_price"]) == ("199999999.98", "99999999.99")


def test_the_expected_total_includes_charges(api: ApiClient) -> None:
    refused = buy(api, charge("shipping", "1"), expected_total="9.00")
    assert (refused.problem(), refused.json["total_price"]) == ((409, "total-changed"), "10.00")
    expect(201, buy(api, charge("shipping", "1"), expected_total="10"))
    expect(201, buy(api, charge("discount", "-9"), expected_total="-0"))


@pytest.fixture
def free(api: ApiClient) -> dict[str, Any]:
    """An order with a total of 0."""
    order: dict[str, Any] = expect(201, buy(api, charge("discount", "-9.00")))
    return order


def test_an_order_with_a_total_of_0_is_paid_when_it_is_placed(
    api: ApiClient, database: Connection, free: dict[str, Any]
) -> None:
    assert (free["total_price"], free["payment_status"], free["expires_at"]) == ("0.00", "paid", None)
    [event] = api.items(f"/api/orders/{free['id']}/events")
    assert (event["cause"], event["from"], event["to"]["payment_status"]) == ("placed", None, "paid")
    assert event["message"] == "The order was placed. Its total is 0, so it is paid."
    assert violations(database) == []


def test_a_canceled_order_with_a_total_of_0_needs_no_refund(
    api: ApiClient, database: Connection, free: dict[str, Any]
) -> None:
    expect(200, api.change_status(free["id"], "canceled"))
    event = api.items(f"/api/orders/{free['id']}/events")[-1]
    assert (event["outcome"], event["action"]) == (None, None)
    assert api.items("/api/reconciliation") == []
    assert violations(database) == []


def test_a_payment_for_an_order_with_a_total_of_0_needs_review(api: ApiClient, free: dict[str, Any]) -> None:
    assert expect(200, api.pay(free["id"], amount="1.00"))["outcome"] == "needs_review"
    [entry] = api.items("/api/reconciliation")
    assert entry["kind"] == "amount_mismatch"
