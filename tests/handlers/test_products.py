"""The product routes, from event to response."""

import re
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import settings
from tests.api_client import UNKNOWN, ApiClient, expect

FIELDS = {"id", "sku", "name", "description", "price", "quantity", "metadata", "created_at", "updated_at"}


def test_a_created_product_is_returned_in_full_and_found_at_its_location(api: ApiClient) -> None:
    response = api.call("POST", "/api/products", {"name": "Tea", "price": 4.5, "quantity": 3})
    product = expect(201, response)
    assert product.keys() == FIELDS
    assert (product["name"], product["description"], product["price"], product["quantity"]) == ("Tea", None, "4.50", 3)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", product["created_at"])
    assert response.headers["location"] == f"/api/products/{product['id']}"
    assert expect(200, api.get(response.headers["location"])) == product


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"name": ""}, "#/name"),
        ({"name": " \t\n"}, "#/name"),
        ({"name": "x" * 256}, "#/name"),
        ({"name": "a\0b"}, "#/name"),
        ({"name": "a\nb"}, "#/name"),
        ({"name": "a\u2028b"}, "#/name"),
        ({"name": " \u200b\u2800\u3164\u00ad\ufe0f "}, "#/name"),
        ({"name": 7}, "#/name"),
        ({"name": None}, "#/name"),
        ({"description": "x" * 10_001}, "#/description"),
        ({"description": "\0"}, "#/description"),
        ({"price": 0}, "#/price"),
        ({"price": -1}, "#/price"),
        ({"price": -1e300}, "#/price"),
        ({"price": -(10**40)}, "#/price"),
        ({"price": f"-1{'0' * 40}"}, "#/price"),
        ({"price": "0.001"}, "#/price"),
        ({"price": "1.000"}, "#/price"),
        ({"price": "100000000"}, "#/price"),
        ({"price": 1e300}, "#/price"),
        ({"price": "1e2"}, "#/price"),
        ({"price": "1_0"}, "#/price"),
        ({"price": " 1"}, "#/price"),
        ({"price": "١٢"}, "#/price"),
        ({"price": "NaN"}, "#/price"),
        ({"price": "-Infinity"}, "#/price"),
        ({"price": ""}, "#/price"),
        ({"price": True}, "#/price"),
        ({"price": ["1"]}, "#/price"),
        ({"quantity": -1}, "#/quantity"),
        ({"quantity": 2_147_483_648}, "#/quantity"),
        ({"quantity": 1.5}, "#/quantity"),
        ({"quantity": "1"}, "#/quantity"),
        ({"quantity": True}, "#/quantity"),
        ({"id": UNKNOWN}, "#/id"),
        ({"created_at": "now"}, "#/created_at"),
        ({"a/b~c d": 1}, "#/a~1b~0c%20d"),
    ],
)
def test_an_invalid_field_is_named(api: ApiClient, fields: dict[str, Any], pointer: str) -> None:
    response = api.call("POST", "/api/products", {"name": "Tea", "price": "1.00", "quantity": 1, **fields})
    assert response.problem() == (422, "invalid-request")
    assert [error["pointer"] for error in response.json["errors"]] == [pointer]
    assert expect(200, api.get("/api/products"))["total"] == 0


@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        ({"name": "x" * 256}, "String should have at most 255 characters"),
        ({"name": " "}, "String should not be blank"),
        ({"price": "1.999"}, "Input should be a decimal number with at most 20 digits and 2 places"),
        ({"quantity": -1}, "Input should be greater than or equal to 0"),
    ],
)
def test_an_invalid_field_has_a_helpful_detail(api: ApiClient, fields: dict[str, Any], detail: str) -> None:
    response = api.call("POST", "/api/products", {"name": "Tea", "price": "1.00", "quantity": 1, **fields})
    assert [error["detail"] for error in response.json["errors"]] == [detail]


def test_every_invalid_field_is_listed(api: ApiClient) -> None:
    response = api.call("POST", "/api/products", {"price": "0", "quantity": -1, "colour": "red"})
    assert {error["pointer"] for error in response.json["errors"]} == {"#/name", "#/price", "#/quantity", "#/colour"}


@pytest.mark.parametrize("price", ["0.01", "99999999.99", 99999999.99, 1, 19.9, "007.50"])
def test_a_price_may_be_a_string_or_a_number(api: ApiClient, price: str | float) -> None:
    assert api.create_product(price=price)["price"] == f"{float(price):.2f}"


@pytest.mark.parametrize(
    ("currency", "price", "is_payable"),
    [
        *[(currency, "19.90", False) for currency in ("JPY", "KRW", "CLP", "ISK", "UGX")],
        *[("JPY", price, True) for price in ("1990", "19.00", 19, 19.0)],
        *[("JPY", price, False) for price in ("0.01", 19.9)],
        *[(currency, "19.99", True) for currency in ("USD", "KWD", "BHD", "HUF")],
    ],
)
def test_a_price_has_at_most_the_decimal_places_of_the_currency(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch, currency: str, price: str | float, *, is_payable: bool
) -> None:
    tea = api.create_product(price="1.00")
    monkeypatch.setenv("CURRENCY", currency)
    new = api.call("POST", "/api/products", {"name": "Cup", "price": price, "quantity": 1})
    changed = api.call("PUT", f"/api/products/{tea['id']}", {"price": price})
    if is_payable:
        assert expect(201, new)["price"] == expect(200, changed)["price"] == f"{float(price):.2f}"
        # A product can be sent as it was received.
        expect(200, api.call("PUT", f"/api/products/{tea['id']}", {"price": changed.json["price"]}))
        return
    detail = f"Input should be a whole number, because {currency} has no decimal places"
    for response in (new, changed):
        assert response.problem() == (422, "invalid-request")
        assert response.json["errors"] == [{"detail": detail, "pointer": "#/price"}]


def test_a_price_filter_may_have_more_decimal_places_than_the_currency(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CURRENCY", "JPY")
    tea = api.create_product(price="19")
    assert api.items("/api/products", min_price="18.50", max_price="19.50") == [tea]


@pytest.mark.parametrize("currency", ["", "usd", "EURO", "US$", "JPY\n"])
def test_an_invalid_setting_of_the_currency_is_an_error(monkeypatch: pytest.MonkeyPatch, currency: str) -> None:
    monkeypatch.setenv("CURRENCY", currency)
    with pytest.raises(ValueError, match="CURRENCY should be three capital letters"):
        settings.currency()


@pytest.mark.parametrize(
    ("number", "integer"),
    [("1.0", 1), ("1e2", 100), ("-0.0", 0), ("2147483647.0", 2147483647), ("21474.83647e5", 2147483647), ("10E-1", 1)],
)
def test_an_integer_may_be_written_with_a_fraction_of_zero(api: ApiClient, number: str, integer: int) -> None:
    # RFC 8259, section 6, has one kind of number. JSON Schema Core, section 4.2.3: 1.0 is an integer.
    body = f'{{"name": "Tea", "price": "1", "quantity": {number}}}'.encode()
    product = expect(201, api.call("POST", "/api/products", body))
    assert product["quantity"] == integer
    body = f'{{"quantity": {number}}}'.encode()
    assert expect(200, api.call("PUT", f"/api/products/{product['id']}", body)) == product


@pytest.mark.parametrize(
    "number", ["1.5", "2147483648.0", "9007199254740993.0", "1e300", "1e400", "-1.0", "true", '"1.0"']
)
def test_another_number_is_not_an_integer(api: ApiClient, number: str) -> None:
    body = f'{{"name": "Tea", "price": "1", "quantity": {number}}}'.encode()
    assert api.call("POST", "/api/products", body).problem() == (422, "invalid-request")


@pytest.mark.parametrize(
    ("field", "value"), [("name", "x" * 255), ("description", "ü" * 10_000), ("quantity", 2**31 - 1)]
)
def test_the_largest_values_are_accepted(api: ApiClient, field: str, value: str | int) -> None:
    assert api.create_product(**{field: value})[field] == value


def test_outer_white_space_of_a_name_is_removed(api: ApiClient) -> None:
    product = api.create_product(name="\u3000 Tea\r\n")
    assert product["name"] == "Tea"
    assert expect(200, api.call("PUT", f"/api/products/{product['id']}", {"name": "Tea "})) == product
    key = {"idempotency-key": "once"}
    first, again = (
        api.call("POST", "/api/products", {"name": name, "price": 1, "quantity": 1}, key) for name in ("Cup", " Cup ")
    )
    assert (first.json, again.headers["idempotent-replayed"]) == (again.json, "true")


def test_an_update_changes_only_the_fields_sent(api: ApiClient) -> None:
    before = api.create_product(description="black")
    after = expect(200, api.call("PUT", f"/api/products/{before['id']}", {"price": "5", "quantity": 0}))
    assert after == {**before, "price": "5.00", "quantity": 0, "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


@pytest.mark.parametrize(
    "changes",
    [
        {"price": "4.5"},
        {"quantity": 10},
        {"description": None},
        {"name": "Tea", "description": None, "price": 4.50, "quantity": 10},
    ],
)
def test_an_update_that_changes_nothing_writes_nothing(
    api: ApiClient, database: Connection, changes: dict[str, Any]
) -> None:
    product = api.create_product(name="Tea", price="4.50", quantity=10)
    path = f"/api/products/{product['id']}"
    rows = "SELECT xmin::text, (SELECT count(*) FROM stock_movements) FROM products"
    tag, before = api.get(path).headers["etag"], database.run(rows)
    response = api.call("PUT", path, changes, {"if-match": tag})
    assert expect(200, response) == expect(200, api.get(path)) == product
    assert (response.headers["etag"], database.run(rows)) == (tag, before)
    assert api.call("PUT", path, changes, {"if-match": '"stale"'}).problem() == (412, "stale-etag")


def test_null_removes_a_description(api: ApiClient) -> None:
    product = api.create_product(description="black")
    assert expect(200, api.call("PUT", f"/api/products/{product['id']}", {"description": None}))["description"] is None


@pytest.mark.parametrize("changes", [{}, {"name": None}, {"price": None}, {"quantity": None}, {"id": UNKNOWN}])
def test_an_invalid_update_changes_nothing(api: ApiClient, changes: dict[str, Any]) -> None:
    product = api.create_product()
    assert api.call("PUT", f"/api/products/{product['id']}", changes).problem() == (422, "invalid-request")
    assert expect(200, api.get(f"/api/products/{product['id']}")) == product


def test_a_deleted_product_is_in_no_response(api: ApiClient) -> None:
    product = api.create_product()
    path = f"/api/products/{product['id']}"
    response = api.call("DELETE", path)
    assert (response.status, response.text) == (204, "")
    assert api.get(path).problem() == (404, "product-not-found")
    assert api.call("PUT", path, {"price": 1}).problem() == (404, "product-not-found")
    assert api.call("DELETE", path).problem() == (404, "product-not-found")
    assert expect(200, api.get("/api/products"))["items"] == []


def test_an_id_is_a_uuid_in_upper_or_lower_case(api: ApiClient) -> None:
    product = api.create_product()
    assert expect(200, api.get(f"/api/products/{product['id'].upper()}")) == product
    for not_an_id in ("7", product["id"].replace("-", ""), f"{{{product['id']}}}", f"{product['id']}0"):
        response = api.get(f"/api/products/{not_an_id}")
        assert response.problem() == (422, "invalid-request")
        assert response.json["errors"][0]["parameter"] == "id"
