"""When an order that is not paid expires."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.api_client import ApiClient, Response, expect
from tests.handlers.tokens import SCOPES, client_with_scopes, customer_client

SHOP, CUSTOMER = client_with_scopes(*SCOPES), customer_client(1)


@pytest.fixture(autouse=True)
def _require_tokens(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  it sets AUTH first
    monkeypatch.setenv("AUTH", "on")
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", "1440")
    monkeypatch.setenv("CUSTOMER_ORDER_TIME_TO_LIVE_MINUTES", "60")


@pytest.fixture
def tea() -> str:
    product_id: str = SHOP.create_product()["id"]
    return product_id


def minutes_to_live(order: dict[str, Any]) -> float | None:
    """The minutes after which an order expires, or None for never."""
    if order["expires_at"] is None:
        return None
    lifetime = datetime.fromisoformat(order["expires_at"]) - datetime.fromisoformat(order["created_at"])
    return lifetime / timedelta(minutes=1)


@pytest.mark.parametrize(
    ("client", "requested", "minutes"),
    [
        (SHOP, None, 1440),
        (SHOP, 30, 30),
        (SHOP, 1441, 1440),
        (CUSTOMER, None, 60),
        (CUSTOMER, 1, 1),
        (CUSTOMER, 61, 60),
        (CUSTOMER, 2_147_483_647, 60),
    ],
)
def test_an_order_expires_after_the_shortest_of_its_times(
    tea: str, client: ApiClient, requested: int | None, minutes: int
) -> None:
    order = client.order((tea, 1), expires_in_minutes=requested)
    assert minutes_to_live(order) == minutes
    assert expect(200, client.get(f"/api/orders/{order['id']}"))["expires_at"] == order["expires_at"]


@pytest.mark.parametrize(
    ("shop", "customer", "minutes"), [("0", "60", None), ("1440", "0", 1440), ("30", "60", 30), ("0", "0", None)]
)
def test_zero_turns_a_time_off(
    tea: str, monkeypatch: pytest.MonkeyPatch, shop: str, customer: str, minutes: int | None
) -> None:
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", shop)
    monkeypatch.setenv("CUSTOMER_ORDER_TIME_TO_LIVE_MINUTES", customer)
    assert minutes_to_live(CUSTOMER.order((tea, 1))) == minutes


@pytest.mark.parametrize("minutes", [0, -1, 1.5, "30", 2_147_483_648, True])
def test_a_time_that_is_no_number_of_minutes_is_refused(tea: str, minutes: Any) -> None:
    refused = CUSTOMER.place_order((tea, 1), expires_in_minutes=minutes)
    assert refused.problem() == (422, "invalid-request")
    assert refused.json["errors"][0]["pointer"] == "#/expires_in_minutes"


def test_a_key_belongs_to_a_time_too(tea: str) -> None:
    def place(minutes: int) -> Response:
        body = {"customer_id": 1, "products": [{"product_id": tea, "quantity": 1}], "expires_in_minutes": minutes}
        return CUSTOMER.call("POST", "/api/orders", body, {"idempotency-key": "k"})

    placed = expect(201, place(10))
    assert expect(201, place(10)) == placed
    assert place(20).problem() == (422, "idempotency-key-reused")
