"""What a customer can order at once, and have on order without paying."""

from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, Response, expect
from tests.handlers.test_expire_orders import make_older, run
from tests.handlers.tokens import SCOPES, client_with_scopes, customer_client

LINES, UNITS, ORDERS, HELD = "order_lines", "order_units", "customer_orders", "customer_units"
DAILY = "daily_orders"

SHOP = client_with_scopes(*SCOPES)


@pytest.fixture(autouse=True)
def _limits(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001  it sets the variables first
    monkeypatch.setenv("AUTH", "on")
    for name, limit in {LINES: "3", UNITS: "10", ORDERS: "3", HELD: "20"}.items():
        monkeypatch.setenv(f"{name.upper()}_LIMIT", limit)
    monkeypatch.setenv("CUSTOMER_DAILY_ORDERS_LIMIT", "5")


@pytest.fixture
def teas() -> list[str]:
    """The IDs of four products, with 1,000 units each."""
    return [SHOP.create_product(quantity=1000)["id"] for _ in range(4)]


def buy(*line_items: tuple[str, int], **fields: Any) -> Response:
    """Place an order as customer 7."""
    return customer_client(7).place_order(*line_items, customer_id=7, **fields)


def limit_of(response: Response) -> tuple[int, str, str, int]:
    """The status, the kind, and the limit with its maximum."""
    return (*response.problem(), response.json["limit"], response.json["maximum"])


def test_an_order_has_a_limit_of_line_items(teas: list[str]) -> None:
    refused = buy(*((tea, 1) for tea in teas))
    assert limit_of(refused) == (422, "order-limit", LINES, 3)
    assert refused.json["detail"] == "The order has 4 line items. The maximum is 3. Order less at once."
    # Line items of one product are added together.
    expect(201, buy(*((tea, 1) for tea in teas[:3]), (teas[0], 1)))


def test_an_order_has_a_limit_of_units_of_a_product(teas: list[str]) -> None:
    assert limit_of(buy((teas[0], 6), (teas[1], 1), (teas[0], 5))) == (422, "order-limit", UNITS, 10)
    expect(201, buy((teas[0], 10)))


def test_an_order_with_more_units_than_a_customer_may_hold_is_too_large_at_any_time(teas: list[str]) -> None:
    assert limit_of(buy(*((tea, 7) for tea in teas[:3]))) == (422, "order-limit", HELD, 20)


def test_a_customer_has_a_limit_of_units_in_unpaid_orders(teas: list[str]) -> None:
    expect(201, buy((teas[0], 10), (teas[1], 5)))
    refused = buy((teas[0], 6))
    assert limit_of(refused) == (429, "customer-limit", HELD, 20)
    assert (refused.json["held"], refused.json["requested"]) == (15, 6)
    expect(201, buy((teas[0], 5)))


def test_a_customer_has_a_limit_of_unpaid_orders(teas: list[str]) -> None:
    for _ in range(3):
        expect(201, buy((teas[0], 1)))
    refused = buy((teas[0], 1))
    assert limit_of(refused) == (429, "customer-limit", ORDERS, 3)
    assert refused.json["held"] == 3
    expect(201, customer_client(8).place_order((teas[0], 1), customer_id=8))


@pytest.mark.parametrize("end", ["paid", "canceled", "completed", "expired"])
def test_an_order_that_is_not_waiting_for_payment_any_more_does_not_count(
    teas: list[str], database: Connection, end: str
) -> None:
    first, *_ = [expect(201, buy((teas[0], 1))) for _ in range(3)]
    if end == "paid":
        expect(200, SHOP.pay(first["id"]))
    elif end == "expired":
        database.run("UPDATE orders SET status = 'canceled' WHERE id = :id", id=first["id"])
    else:
        expect(200, SHOP.change_status(first["id"], end))
    expect(201, buy((teas[0], 1)))


def test_an_order_whose_payment_failed_still_counts(teas: list[str]) -> None:
    for _ in range(3):
        expect(200, SHOP.pay(expect(201, buy((teas[0], 1)))["id"], "failed"))
    assert limit_of(buy((teas[0], 1))) == (429, "customer-limit", ORDERS, 3)


def test_a_retry_can_succeed_when_the_first_order_expires(teas: list[str]) -> None:
    for minutes in (30, 10, 20):
        expect(201, buy((teas[0], 1), expires_in_minutes=minutes))
    assert 590 <= int(buy((teas[0], 1)).headers["retry-after"]) <= 600


def test_an_overdue_order_counts_until_it_expires_and_a_retry_is_worth_a_minute(
    teas: list[str], database: Connection
) -> None:
    for _ in range(3):
        expect(201, buy((teas[0], 1)))
    make_older(database, *(order["id"] for order in SHOP.items("/api/orders")))
    refused = buy((teas[0], 1))
    assert limit_of(refused) == (429, "customer-limit", ORDERS, 3)
    assert refused.headers["retry-after"] == "60"
    assert run()["expired"] == 3
    expect(201, buy((teas[0], 1)))


def test_without_an_order_that_expires_a_retry_is_worth_a_minute(
    teas: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", "0")
    for _ in range(3):
        expect(201, buy((teas[0], 1)))
    assert buy((teas[0], 1)).headers["retry-after"] == "60"


def order_and_cancel(tea: str) -> dict[str, Any]:
    order: dict[str, Any] = expect(201, buy((tea, 1)))
    expect(200, customer_client(7).change_status(order["id"], "canceled"))
    return order


def test_a_customer_has_a_limit_of_orders_in_a_day_that_were_placed_and_not_paid(
    teas: list[str], database: Connection
) -> None:
    first, *_ = [order_and_cancel(teas[0]) for _ in range(5)]
    refused = buy((teas[0], 1))
    assert limit_of(refused) == (429, "customer-limit", DAILY, 5)
    assert 86_300 < int(refused.headers["retry-after"]) <= 86_400
    expect(201, customer_client(8).place_order((teas[0], 1), customer_id=8))
    database.run("UPDATE orders SET created_at = created_at - interval '1 day' WHERE id = :id", id=first["id"])
    expect(201, buy((teas[0], 1)))


def test_a_customer_who_pays_can_order_any_number_of_times_in_a_day(teas: list[str]) -> None:
    for _ in range(7):
        expect(200, SHOP.pay(expect(201, buy((teas[0], 1)))["id"]))


def test_the_shop_has_no_limits(teas: list[str]) -> None:
    for _ in range(4):
        expect(201, SHOP.place_order(*((tea, 100) for tea in teas), customer_id=7))


def test_without_tokens_every_caller_is_the_shop(
    api: ApiClient, teas: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTH", "off")
    expect(201, api.place_order(*((tea, 100) for tea in teas), customer_id=7))


def test_orders_that_the_shop_placed_for_a_customer_count(teas: list[str]) -> None:
    expect(201, SHOP.place_order((teas[0], 500), customer_id=7))
    assert limit_of(buy((teas[0], 1))) == (429, "customer-limit", HELD, 20)


def test_a_retry_of_an_order_returns_it_whatever_the_limits_are_now(teas: list[str]) -> None:
    body = {"customer_id": 7, "products": [{"product_id": teas[0], "quantity": 10}]}

    def place() -> Response:
        return customer_client(7).call("POST", "/api/orders", body, {"idempotency-key": "k"})

    placed = expect(201, place())
    for _ in range(2):
        expect(201, buy((teas[0], 1)))
    assert expect(201, place()) == placed


def test_a_refused_order_takes_no_stock(teas: list[str]) -> None:
    assert buy((teas[0], 11)).status == 422
    assert SHOP.stock(teas[0]) == 1000
