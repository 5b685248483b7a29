"""A SKU is the shop's own ID of a product. No two products have the same one, except deleted ones."""

import logging
from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, Response, expect

PRODUCTS = "/api/products"

# A and a; the wide form; é as one and as two characters; ß and SS; the sign for a ligature.
SAME = [("TEA-1", "tea-1"), ("TEA-1", "ＴＥＡ－１"), ("caf\u00e9", "CAFE\u0301"), ("STRASSE", "straße"), ("ﬁg", "FIG")]
DIFFERENT = [("TEA-1", "TEA-01"), ("TEA-1", "TEA 1"), ("TEA-1", "TEA_1"), ("cafe", "café")]


def create(api: ApiClient, sku: Any, **fields: Any) -> Response:
    return api.call("POST", PRODUCTS, {"name": "Tea", "price": "4.50", "quantity": 10, "sku": sku, **fields})


def update(api: ApiClient, product: dict[str, Any], **changes: Any) -> Response:
    return api.call("PUT", f"{PRODUCTS}/{product['id']}", changes)


def test_a_sku_is_returned_as_it_was_sent(api: ApiClient) -> None:
    tea = expect(201, create(api, "TeA-1/é"))
    assert tea["sku"] == "TeA-1/é"
    assert expect(200, api.get(f"{PRODUCTS}/{tea['id']}")) == tea
    assert expect(200, update(api, tea, sku="tea-2"))["sku"] == "tea-2"
    assert expect(200, update(api, tea, price="5.00"))["sku"] == "tea-2"
    assert expect(200, update(api, tea, sku=None))["sku"] is None


def test_a_product_needs_no_sku(api: ApiClient) -> None:
    assert [api.create_product()["sku"], expect(201, create(api, None))["sku"]] == [None, None]


@pytest.mark.parametrize(("sku", "other"), SAME)
def test_the_same_sku_in_another_case_or_width_is_taken(api: ApiClient, sku: str, other: str) -> None:
    tea = expect(201, create(api, sku))
    coffee = api.create_product(name="Coffee")
    for response in (create(api, other), create(api, sku), update(api, coffee, sku=other)):
        assert response.problem() == (409, "sku-taken")
        assert response.json["detail"].endswith("Case, Unicode form and width do not matter.")
    assert expect(200, api.get(f"{PRODUCTS}/{coffee['id']}")) == coffee
    assert api.items(PRODUCTS, sku=other) == [tea]


@pytest.mark.parametrize(("sku", "other"), DIFFERENT)
def test_another_sku_is_not_taken(api: ApiClient, sku: str, other: str) -> None:
    products = [expect(201, create(api, one)) for one in (sku, other)]
    assert [api.items(PRODUCTS, sku=one) for one in (sku, other)] == [[product] for product in products]


def test_a_product_keeps_its_own_sku_in_another_case(api: ApiClient) -> None:
    tea = expect(201, create(api, "tea-1"))
    assert expect(200, update(api, tea, sku="TEA-1"))["sku"] == "TEA-1"
    assert create(api, "tea-1").problem() == (409, "sku-taken")


def test_a_refused_creation_leaves_nothing(api: ApiClient, database: Connection) -> None:
    expect(201, create(api, "tea-1"))
    rows = "SELECT (SELECT count(*) FROM products), (SELECT count(*) FROM stock_movements)"
    before = database.run(rows)
    body = {"name": "Tea", "price": "1", "quantity": 1, "sku": "TEA-1"}
    key = {"idempotency-key": "k"}
    assert api.call("POST", PRODUCTS, body, key).problem() == (409, "sku-taken")
    assert database.run(rows) == before
    # The client can use the key again.
    expect(201, api.call("POST", PRODUCTS, {**body, "sku": "tea-2"}, key))


def test_a_sku_is_free_again_after_the_product_is_deleted_or_has_another_one(api: ApiClient) -> None:
    tea = expect(201, create(api, "tea-1"))
    api.call("DELETE", f"{PRODUCTS}/{tea['id']}")
    assert api.items(PRODUCTS, sku="tea-1") == []
    second = expect(201, create(api, "TEA-1"))
    expect(200, update(api, second, sku="tea-2"))
    third = expect(201, create(api, "tea-1"))
    assert api.items(PRODUCTS, sku="tea-1") == [third]


def test_an_update_of_a_deleted_product_takes_no_sku(api: ApiClient) -> None:
    tea = api.create_product()
    api.call("DELETE", f"{PRODUCTS}/{tea['id']}")
    assert update(api, tea, sku="tea-1").problem() == (404, "product-not-found")
    expect(201, create(api, "tea-1"))


BLANK = ["", " ", "\u200b", "\u3164\u2800"]
OUTER_SPACE = [" a", "a ", "\u3000a", "a\u00a0"]
CONTROLS = ["a\nb", "a\n", "a\0", "a\x85b"]


@pytest.mark.parametrize("sku", [*BLANK, *OUTER_SPACE, *CONTROLS, "x" * 65, 7, []])
def test_an_invalid_sku_is_refused(api: ApiClient, sku: Any) -> None:
    tea = api.create_product()
    for response in (create(api, sku), update(api, tea, sku=sku)):
        assert response.problem() == (422, "invalid-request")
        assert [error["pointer"] for error in response.json["errors"]] == ["#/sku"]


# U+FDFA has the longest folded form: 18 characters.
@pytest.mark.parametrize("sku", ["x", "x" * 64, "\ufdfa" * 64, "😀" * 64, "a b", "0012", "™", "a\u200bb"])
def test_a_printable_sku_is_accepted(api: ApiClient, sku: str) -> None:
    tea = expect(201, create(api, sku))
    assert tea["sku"] == sku
    assert api.items(PRODUCTS, sku=sku) == [tea]


@pytest.mark.parametrize("sku", ["", "%20", "a%20", "a%00", "x" * 65])
def test_an_invalid_sku_filter_is_refused(api: ApiClient, sku: str) -> None:
    assert api.get(f"{PRODUCTS}?sku={sku}").problem() == (422, "invalid-request")


def test_a_sku_filter_is_combined_with_the_others(api: ApiClient) -> None:
    tea = expect(201, create(api, "tea-1"))
    expect(201, create(api, "tea-2"))
    assert api.items(PRODUCTS, sku="TEA-1", in_stock="true", max_price="4.50", sort="name") == [tea]
    assert api.items(PRODUCTS, sku="tea-1", in_stock="false") == []
    assert api.items(PRODUCTS, sku="tea") == []


def test_the_database_names_no_sku_in_a_response_or_a_log_line(
    api: ApiClient, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    coffee = api.create_product()
    expect(201, create(api, "secret-code"))
    for response in (create(api, "SECRET-code"), update(api, coffee, sku="SECRET-code")):
        assert response.status == 409
        assert "secret" not in response.text.lower()
    assert "secret" not in "".join(str(vars(record)) for record in caplog.records).lower()


def test_a_line_item_keeps_the_sku_of_the_time_of_the_order(api: ApiClient) -> None:
    tea, coffee = expect(201, create(api, "Tea-1")), api.create_product()
    order = api.order((tea["id"], 1), (coffee["id"], 1))
    assert [item["sku"] for item in order["order_items"]] == ["Tea-1", None]
    expect(200, update(api, tea, sku="tea-2"))
    expect(200, update(api, coffee, sku="coffee-1"))
    path = f"/api/orders/{order['id']}"
    assert expect(200, api.get(path)) == order
    api.call("DELETE", f"{PRODUCTS}/{tea['id']}")
    assert expect(200, api.get(path)) == order
    assert [item["sku"] for item in api.order((coffee["id"], 1))["order_items"]] == ["coffee-1"]
