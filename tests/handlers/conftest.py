"""Fixtures for the handler tests."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests import refund_program
from tests.api_client import ApiClient
from tests.refund_shop import Shop, serving_shop
from tests.stripe_events import stripe_event
from tests.stripe_refunds import Stripe


@pytest.fixture
def tea(api: ApiClient) -> str:
    """The ID of a product with a price of 4.50 and ten units in stock."""
    product_id: str = api.create_product()["id"]
    return product_id


@pytest.fixture
def order(api: ApiClient) -> dict[str, Any]:
    """A pending order for one unit, with a total of 4.50."""
    return new_order(api)


def new_order(api: ApiClient) -> dict[str, Any]:
    return api.order((api.create_product()["id"], 1))


def stripe_event_for(
    order: dict[str, Any], name: str = "payment_intent.succeeded", /, **changes: Any
) -> dict[str, Any]:
    """A Stripe event for the order."""
    return stripe_event(name, amount_received=450, metadata={"order_id": order["id"]}, **changes)


@pytest.fixture
def seven_products(api: ApiClient) -> list[dict[str, Any]]:
    """Seven products, with equal values in each field that they can be sorted by."""
    return [api.create_product(name=f'Tea, "{n % 3}" ü', price=1 + n % 2, quantity=(9, 0, 10)[n % 3]) for n in range(7)]


@pytest.fixture
def account() -> Stripe:
    """An account at Stripe, without payments."""
    return Stripe()


@pytest.fixture
def shop(api: ApiClient, account: Stripe) -> Iterator[Shop]:
    """A shop whose customers pay at the account. The program that makes its refunds is connected to both."""
    with serving_shop(api, account) as shop, refund_program.connected(account, shop.url):
        yield shop
