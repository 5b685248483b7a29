"""Fixtures of the tests of payment events."""

from collections.abc import Iterator

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient


@pytest.fixture
def order_id(api: ApiClient) -> str:
    return str(api.order((api.create_product()["id"], 1))["id"])


@pytest.fixture
def other_order_id(api: ApiClient, order_id: str) -> str:  # noqa: ARG001  the first order
    return str(api.order((api.create_product()["id"], 1))["id"])


@pytest.fixture
def expect_no_violations(database: Connection) -> Iterator[None]:
    yield
    assert violations(database) == []
