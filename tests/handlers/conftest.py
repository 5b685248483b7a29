"""Fixtures for the handler tests."""

from typing import Any

import pytest

from tests.api_client import ApiClient


@pytest.fixture
def order(api: ApiClient) -> dict[str, Any]:
    """A pending order for one unit, with a total of 4.50."""
    return new_order(api)


def new_order(api: ApiClient) -> dict[str, Any]:
    return api.order((api.create_product()["id"], 1))
