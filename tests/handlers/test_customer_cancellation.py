"""Customers cancel their own orders."""

from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, Response, expect
from tests.handlers.tokens import SCOPES, client_with_scopes, customer_client

SHOP, CUSTOMER = client_with_scopes(*SCOPES), customer_client(7)


@pytest.fixture(autouse=True)
def _require_tokens(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  it sets AUTH first
    monkeypatch.setenv("AUTH", "on")


@pytest.fixture
def tea() -> str:
    """The ID of a product with ten units."""
    product_id: str = SHOP.create_product()["id"]
    return product_id


@pytest.fixture
def own(tea: str) -> dict[str, Any]:
    """A pending order of customer 7, for three units with a total of 13.50."""
    return CUSTOMER.order((tea, 3), customer_id=7)


def cancel(order: dict[str, Any], client: ApiClient = CUSTOMER, **fields: Any) -> Response:
    return client.call("PUT", f"/api/orders/{order['id']}/status", {"status": "canceled", **fields})


def test_a_customer_can_cancel_an_unpaid_order_and_its_stock_returns(own: dict[str, Any], tea: str) -> None:
    assert expect(200, cancel(own))["status"] == "canceled"
    assert SHOP.stock(tea) == 10
    events = CUSTOMER.items(f"/api/orders/{own['id']}/events")
    assert [(one["cause"], one["actor"]) for one in events] == [("placed", "customer"), ("status_change", "customer")]


def test_a_customer_can_cancel_an_order_whose_payment_failed(own: dict[str, Any]) -> None:
    expect(200, SHOP.pay(own["id"], "failed"))
    expect(200, cancel(own))


@pytest.mark.parametrize("state", ["paid", "held", "completed", "canceled"])
def test_a_customer_cannot_cancel_an_order_that_is_paid_or_ended(own: dict[str, Any], tea: str, state: str) -> None:
    if state == "paid":
        expect(200, SHOP.pay(own["id"]))
    elif state == "held":
        # Money of another amount arrived.
        expect(200, SHOP.pay(own["id"], amount="1.00"))
    else:
        expect(200, SHOP.change_status(own["id"], state))
    before = SHOP.stock(tea)
    assert cancel(own).problem() == (409, "not-cancelable")
    assert SHOP.stock(tea) == before


def test_the_shop_can_cancel_an_order_while_a_payment_is_under_way(own: dict[str, Any]) -> None:
    expect(200, SHOP.pay(own["id"], amount="1.00"))
    expect(200, cancel(own, SHOP))


def test_the_order_of_another_customer_is_not_found(own: dict[str, Any], tea: str) -> None:
    assert cancel(own, customer_client(8)).problem() == (404, "order-not-found")
    assert cancel({"id": UNKNOWN}).problem() == (404, "order-not-found")
    assert SHOP.stock(tea) == 7


@pytest.mark.parametrize(
    "body", [{"status": "completed"}, {"status": "pending"}, {"status": "canceled", "refund": True}]
)
def test_a_customer_can_send_only_a_plain_cancellation(own: dict[str, Any], body: dict[str, Any]) -> None:
    assert CUSTOMER.call("PUT", f"/api/orders/{own['id']}/status", body).problem() == (403, "forbidden")
    assert SHOP.payment_status(own["id"]) == "unpaid"


def test_a_cancellation_with_a_stale_etag_returns_412(own: dict[str, Any]) -> None:
    path = f"/api/orders/{own['id']}"
    stale = {"if-match": CUSTOMER.get(path).headers["etag"]}
    expect(200, SHOP.pay(own["id"], "failed"))
    refused = CUSTOMER.call("PUT", f"{path}/status", {"status": "canceled"}, stale)
    assert refused.problem() == (412, "stale-etag")


def test_a_customer_needs_the_scope_for_orders(own: dict[str, Any]) -> None:
    for scope in ("orders:read", "orders:manage"):
        refused = cancel(own, client_with_scopes(scope, customer_id="7"))
        assert refused.problem() == (403, "forbidden")
        assert 'scope="orders:write"' in refused.headers["www-authenticate"]


def test_the_shop_needs_the_scope_for_staff(own: dict[str, Any]) -> None:
    assert cancel(own, client_with_scopes("orders:write")).problem() == (403, "forbidden")
