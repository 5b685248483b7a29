"""expected_total: the price that the buyer saw."""

from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, Response, expect
from tests.integration.races import Call, place, two_at_once


def buy(api: ApiClient, product_id: str, quantity: int, key: str | None = None, **fields: Any) -> Response:
    body = {"customer_id": 1, "products": [{"product_id": product_id, "quantity": quantity}], **fields}
    return api.call("POST", "/api/orders", body, {} if key is None else {"Idempotency-Key": key})


@pytest.mark.parametrize("expected", ["9.00", "9", 9, 9.0, "9.0", "0009.00"])
def test_the_same_amount_in_any_notation_places_the_order(api: ApiClient, tea: str, expected: Any) -> None:
    order = expect(201, buy(api, tea, 2, expected_total=expected))
    assert order["total_price"] == "9.00"
    assert "expected_total" not in order


@pytest.mark.parametrize("expected", ["8.99", "9.01", 0, "0.00", 99999999.99])
def test_another_total_returns_409_with_the_current_total(api: ApiClient, tea: str, expected: Any) -> None:
    refused = buy(api, tea, 2, expected_total=expected)
    assert refused.problem() == (409, "total-changed")
    assert refused.json["total_price"] == "9.00"
    assert "retry-after" not in refused.headers
    assert (api.stock(tea), api.items("/api/orders")) == (10, [])


@pytest.mark.parametrize("expected", ["-1", -0.01, "1.001", "", "nine", "1e2", True, [], "100000000", "Infinity"])
def test_an_expected_total_that_is_no_amount_returns_422(api: ApiClient, tea: str, expected: Any) -> None:
    refused = buy(api, tea, 2, expected_total=expected)
    assert refused.problem() == (422, "invalid-request")
    assert refused.json["errors"][0]["pointer"] == "#/expected_total"


def test_null_means_that_any_total_is_accepted(api: ApiClient, tea: str) -> None:
    expect(201, buy(api, tea, 1, expected_total=None))


def test_missing_products_and_stock_are_reported_first(api: ApiClient, tea: str) -> None:
    assert buy(api, UNKNOWN, 1, expected_total="1").problem() == (404, "product-not-found")
    assert buy(api, tea, 11, expected_total="1").problem() == (400, "insufficient-stock")
    dear = api.create_product(price="99999999.99")["id"]
    assert buy(api, dear, 2, expected_total="1").problem() == (422, "total-too-large")


def test_a_refused_order_leaves_its_key_free(api: ApiClient, tea: str) -> None:
    assert buy(api, tea, 2, "k", expected_total="1").problem() == (409, "total-changed")
    order = expect(201, buy(api, tea, 2, "k", expected_total="9"))
    # A retry gets the first response, whatever the price is by then.
    expect(200, api.call("PUT", f"/api/products/{tea}", {"price": 5}))
    assert expect(201, buy(api, tea, 2, "k", expected_total="9.00")) == order
    assert buy(api, tea, 2, "k", expected_total="10").problem() == (422, "idempotency-key-reused")
    assert buy(api, tea, 2, "k").problem() == (422, "idempotency-key-reused")


def test_an_order_that_waited_for_a_new_price_sees_it(api: ApiClient, tea: str, database_url: str) -> None:
    raise_price = Call("update_product", {"id": tea, "changes": {"price": "5.00"}})
    order = place((tea, 2))
    order = order._replace(request={**order.request, "expected_total": "9.00"})
    assert two_at_once(database_url, raise_price, order) == ("updated", "total_changed")
    assert api.stock(tea) == 10
