"""Lists: pages, filters, order and invalid parameters."""

from typing import Any

import pytest

from tests import conformance
from tests.api_client import UNKNOWN, ApiClient, expect, target
from tests.handlers.lists import PRODUCTS, follow_cursors, product_names


def test_products_are_listed_newest_first_in_pages(api: ApiClient) -> None:
    names = [api.create_product(name=f"Tea {n}")["name"] for n in range(5)]
    pages = [expect(200, api.get(target("/api/products", page=page, page_size=2))) for page in (1, 2, 3, 4)]
    assert [[item["name"] for item in page["items"]] for page in pages] == [
        [names[4], names[3]],
        [names[2], names[1]],
        [names[0]],
        [],
    ]
    assert [page.keys() for page in pages] == [
        {"items", "total", "page", "page_size", "total_pages", "next_cursor"}
    ] * 4
    assert [page["next_cursor"] is None for page in pages] == [False, False, True, True]
    assert [(page["total"], page["page_size"], page["total_pages"]) for page in pages] == [(5, 2, 3)] * 4
    assert [page["page"] for page in pages] == [1, 2, 3, 4]


def test_an_empty_list_is_an_empty_page(api: ApiClient) -> None:
    assert expect(200, api.get("/api/products")) == {
        "items": [],
        "total": 0,
        "page": 1,
        "page_size": 20,
        "total_pages": 0,
        "next_cursor": None,
    }


@pytest.mark.parametrize(("in_stock", "names"), [("true", ["Some"]), ("false", ["None"])])
def test_products_can_be_filtered_by_stock(api: ApiClient, in_stock: str, names: list[str]) -> None:
    api.create_product(name="Some", quantity=1)
    api.create_product(name="None", quantity=0)
    page = expect(200, api.get(target("/api/products", in_stock=in_stock)))
    assert [item["name"] for item in page["items"]] == names
    assert page["total"] == 1


@pytest.mark.parametrize("field", ["created_at", "name", "price", "quantity"])
def test_products_can_be_sorted_both_ways_and_ties_are_broken_by_id(api: ApiClient, field: str) -> None:
    made = [api.create_product(name=f"Tea {n % 3}", price=1 + n % 2, quantity=n % 2) for n in range(6)]
    ordered = sorted(made, key=lambda item: (float(item[field]) if field == "price" else item[field], item["id"]))
    assert expect(200, api.get(target("/api/products", sort=field)))["items"] == ordered
    assert expect(200, api.get(target("/api/products", sort=f"-{field}")))["items"] == ordered[::-1]


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("page", "0"),
        ("page", "-1"),
        ("page", "1.0"),
        ("page", "one"),
        ("page", ""),
        ("page", "١"),
        ("page", "1_0"),
        ("page", "9" * 5000),
        ("page_size", "0"),
        ("page_size", "101"),
        ("in_stock", "yes"),
        ("in_stock", "TRUE"),
        ("sort", "id"),
        ("sort", "--name"),
        ("sort", "name;DROP TABLE products"),
        ("instock", "true"),
    ],
)
def test_an_invalid_list_parameter_is_named(api: ApiClient, parameter: str, value: str) -> None:
    response = api.get(target("/api/products", **{parameter: value}))
    assert response.problem() == (422, "invalid-request")
    assert [error["parameter"] for error in response.json["errors"]] == [parameter]


def test_a_repeated_parameter_returns_422(api: ApiClient) -> None:
    assert api.get("/api/products?page=1&page=2").problem() == (422, "invalid-request")


def test_numbered_pages_reach_100_000_rows_deep(api: ApiClient) -> None:
    assert expect(200, api.get(target("/api/products", page=1001, page_size=100)))["items"] == []
    assert api.get(target("/api/products", page=1002, page_size=100)).problem() == (400, "page-too-deep")
    assert api.get(target("/api/products", page=2_147_483_647)).problem() == (400, "page-too-deep")


@pytest.mark.parametrize("name", ["q", "in_stock", "min_price", "max_price", "max_quantity", "sku"])
def test_a_page_of_products_with_a_filter_can_start_1000_rows_deep(api: ApiClient, name: str) -> None:
    filters = {name: "true" if name == "in_stock" else "1"}
    assert api.items("/api/products", page=11, page_size=100, **filters) == []
    refused = api.get(target("/api/products", page=12, page_size=100, **filters))
    assert refused.problem() == (400, "page-too-deep")
    assert "at most 1000 rows" in refused.json["detail"]
    assert api.items("/api/products", page=12, page_size=100, sort="name") == []


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        (path.replace("{id}", UNKNOWN), parameter["name"])
        for path, methods in conformance.DOCUMENT["paths"].items()
        for parameter in methods.get("get", {}).get("parameters", [])
        if parameter["in"] == "query"
    ],
)
def test_an_empty_parameter_returns_422(api: ApiClient, path: str, parameter: str) -> None:
    response = api.get(target(path, **{parameter: ""}))
    assert response.problem() == (422, "invalid-request")
    assert [error["parameter"] for error in response.json["errors"]] == [parameter]


def test_price_filters_include_both_bounds(api: ApiClient) -> None:
    for price in ("1.00", "2.00", "3.00"):
        api.create_product(name=price, price=price)
    assert product_names(api, min_price="2") == {"2.00", "3.00"}
    assert product_names(api, max_price="2.00") == {"1.00", "2.00"}
    assert product_names(api, min_price="2", max_price="2", sort="price") == {"2.00"}
    assert product_names(api, min_price="3", max_price="1") == product_names(api, max_price="0") == set()


def test_time_filters_include_both_bounds(api: ApiClient) -> None:
    tea = api.create_product()["id"]
    made = [api.order((tea, 1)) for _ in range(3)]
    middle = made[1]["created_at"]

    def found(**bounds: Any) -> list[str]:
        return [item["id"] for item in follow_cursors(api, "/api/orders", page_size=1, **bounds)]

    ids = [order["id"] for order in made]
    assert found(created_from=middle) == [ids[2], ids[1]]
    assert found(created_to=middle) == [ids[1], ids[0]]
    assert found(created_from=middle, created_to=middle) == [ids[1]]
    assert found(created_from=middle.replace("Z", "+00:00"), created_to=middle.lower()) == [ids[1]]
    assert found(created_from="2026-01-01T00:00:00+23:59") == ids[::-1]
    assert found(created_to="2020-01-01T00:00:00.5Z") == []


@pytest.mark.parametrize(
    ("path", "parameter", "value"),
    [
        *[
            (PRODUCTS, "q", value)
            for value in ("", " ", "!?", "_", "x" * 256, "a\0", "++", "\u00ad\u3164", "®", "\ufe0f")
        ],
        *[(PRODUCTS, bound, v) for bound in ("min_price", "max_price") for v in ("-1", "1.234", "1e2", "NaN", "", "١")],
        (PRODUCTS, "max_price", "100000000"),
        (PRODUCTS, "min_price", f"-1{'0' * 40}"),
        # Each link would repeat it.
        (PRODUCTS, "min_price", "0" * 21),
        *[
            ("/api/orders", bound, value)
            for bound in ("created_from", "created_to")
            for value in (
                *("2026-01-01", "2026-01-01T00:00:00", "2026-01-01 00:00:00Z", "2026-02-30T00:00:00Z", "now", "0"),
                *("2026-01-01T24:00:01Z", "2026-01-01T00:00:00+25:00", "20260101T000000Z", "٢026-01-01T00:00:00Z"),
                *("2026-01-01T00:00:00.1234567Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01"),
            )
        ],
        (f"/api/orders/{UNKNOWN}/events", "page", "1"),
        (f"/api/orders/{UNKNOWN}/events", "page_size", "0"),
    ],
)
def test_an_invalid_parameter_is_named(api: ApiClient, path: str, parameter: str, value: str) -> None:
    response = api.get(target(path, **{parameter: value}))
    assert response.problem() == (422, "invalid-request")
    assert [error["parameter"] for error in response.json["errors"]] == [parameter]


def test_products_low_in_stock_are_listed_in_any_order(api: ApiClient) -> None:
    # Around the ends of the buckets that the index has.
    for quantity in (0, 1, 9, 10, 11, 99, 100, 2_147_483_647):
        api.create_product(name=f"Tea {quantity}", quantity=quantity)
    for limit, found in ((0, [0]), (1, [0, 1]), (10, [0, 1, 9, 10]), (99, [0, 1, 9, 10, 11, 99])):
        listed = [product["quantity"] for product in follow_cursors(api, PRODUCTS, max_quantity=limit, sort="quantity")]
        assert listed == found
        assert expect(200, api.get(target(PRODUCTS, max_quantity=limit)))["total"] == len(found)
    few = {"max_quantity": 10, "page_size": 1}
    for sort, expected in (("-quantity", [10, 9, 1, 0]), ("created_at", [0, 1, 9, 10]), ("-name", [9, 10, 1, 0])):
        assert [product["quantity"] for product in follow_cursors(api, PRODUCTS, **few, sort=sort)] == expected
    assert product_names(api, max_quantity=10, in_stock="true", q="tea") == {"Tea 1", "Tea 9", "Tea 10"}
    assert len(product_names(api, max_quantity=2_147_483_647)) == 8


@pytest.mark.parametrize("limit", ["", "-1", "1.0", "2147483648", "99999999999", "a", "١"])
def test_an_invalid_limit_of_the_stock_is_refused(api: ApiClient, limit: str) -> None:
    response = api.get(target(PRODUCTS, max_quantity=limit))
    assert response.problem() == (422, "invalid-request")
    assert [error["parameter"] for error in response.json["errors"]] == ["max_quantity"]
