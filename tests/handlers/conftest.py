"""Fixtures of the handlers' tests."""

from typing import Any

import pytest

from tests.shop import Shop


@pytest.fixture
def order(shop: Shop) -> dict[str, Any]:
    """A pending order of one unit, 4.50 in all."""
    return new_order(shop)


def new_order(shop: Shop) -> dict[str, Any]:
    return shop.order((shop.create_product()["id"], 1))
