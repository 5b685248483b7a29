"""Whom an order is for: email, addresses, the customer's note and metadata. Also its currency and its expiry."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, Response, expect

ADDRESS = {
    "name": "Ada Example",
    "company": "Example GmbH",
    "line1": "1 Example Street",
    "line2": "Floor 2",
    "city": "Berlin",
    "region": "BE",
    "postal_code": "10115",
    "country": "DE",
    "phone": "+49 30 1234567",
}
EMPTY = dict.fromkeys(ADDRESS)


def buy(api: ApiClient, key: str | None = None, **fields: Any) -> Response:
    products = [{"product_id": api.create_product()["id"], "quantity": 1}]
    headers = {} if key is None else {"Idempotency-Key": key}
    return api.call("POST", "/api/orders", {"customer_id": 7, "products": products, **fields}, headers)


def test_an_order_shows_its_contact_details(api: ApiClient) -> None:
    details: dict[str, Any] = {
        "email": "Ada.Example+shop@example.com",
        "shipping_address": ADDRESS,
        "billing_address": {**ADDRESS, "country": "XK"},
        "note": "Please ring twice.\nThank you!",
        "metadata": {"channel": "app", "gift": ""},
    }
    order = expect(201, buy(api, **details))
    assert {name: order[name] for name in details} == details
    assert list(order["shipping_address"]) == list(order["billing_address"]) == list(ADDRESS)
    assert expect(200, api.get(f"/api/orders/{order['id']}")) == order
    assert api.items("/api/orders") == [order]


def test_only_the_country_of_an_address_is_required(api: ApiClient) -> None:
    order = expect(201, buy(api, shipping_address={"country": "IS"}, billing_address={"country": "IS", "city": None}))
    assert order["shipping_address"] == order["billing_address"] == {**EMPTY, "country": "IS"}
    refused = buy(api, shipping_address={"city": "Berlin"})
    assert refused.json["errors"][0]["pointer"] == "#/shipping_address/country"


def test_an_empty_line_of_an_address_is_an_absent_one(api: ApiClient) -> None:
    order = expect(201, buy(api, "k", shipping_address={"line2": "", "country": "IS"}))
    assert order["shipping_address"]["line2"] is None


@pytest.mark.parametrize("character", ["a", "é", "漢", "ع", "🏠", "\U0010fffd"])
def test_a_line_of_an_address_has_200_characters_of_any_script(api: ApiClient, character: str) -> None:
    longest = {**dict.fromkeys(ADDRESS, character * 200), "country": "JP"}
    assert expect(201, buy(api, shipping_address=longest))["shipping_address"] == longest
    refused = buy(api, shipping_address={**ADDRESS, "line1": character * 201})
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/shipping_address/line1"]


@pytest.mark.parametrize("character", ["\0", "\n", "\x1b", "\x7f", "\x85", "\u2028"])
def test_an_address_has_no_control_characters(api: ApiClient, character: str) -> None:
    refused = buy(api, billing_address={**ADDRESS, "line1": f"1 Example{character}Street"})
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/billing_address/line1"]


@pytest.mark.parametrize("country", ["AN", "YU", "SU", "DD", "CS", "UK", "EU", "ZZ", "DEU", "276", "", "D", None])
def test_a_country_that_does_not_exist_returns_422(api: ApiClient, country: Any) -> None:
    refused = buy(api, shipping_address={**ADDRESS, "country": country})
    assert refused.problem() == (422, "invalid-request")
    [error] = refused.json["errors"]
    assert error["pointer"] == "#/shipping_address/country"


def test_a_country_in_lowercase_returns_422_that_says_so(api: ApiClient) -> None:
    [error] = buy(api, shipping_address={**ADDRESS, "country": "de"}).json["errors"]
    assert "in capitals" in error["detail"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"shipping_address": {**ADDRESS, "street": "1"}}, "#/shipping_address/street"),
        ({"shipping_address": "1 Example Street"}, "#/shipping_address"),
        ({"shipping_address": {**ADDRESS, "postal_code": 10115}}, "#/shipping_address/postal_code"),
        ({"email": "ada"}, "#/email"),
        ({"email": ""}, "#/email"),
        ({"note": "a" * 1001}, "#/note"),
        ({"note": "a\0"}, "#/note"),
        ({"metadata": {"a": 1}}, "#/metadata/a"),
        ({"number": 1001}, "#/number"),
        ({"currency": "EUR"}, "#/currency"),
        ({"expires_at": None}, "#/expires_at"),
        ({"subtotal": "1"}, "#/subtotal"),
    ],
)
def test_an_invalid_detail_returns_422(api: ApiClient, fields: dict[str, Any], pointer: str) -> None:
    refused = buy(api, **fields)
    assert refused.problem() == (422, "invalid-request")
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def test_a_refused_email_is_not_in_the_response(api: ApiClient) -> None:
    assert "secret" not in buy(api, email="secret@@example.com").text


@pytest.mark.parametrize("note", ["👍", "漢" * 1000, " "])
def test_a_note_is_any_text(api: ApiClient, note: str) -> None:
    assert expect(201, buy(api, note=note))["note"] == note


def test_an_empty_note_is_no_note(api: ApiClient) -> None:
    assert expect(201, buy(api, note=""))["note"] is None


def test_an_order_that_differs_only_in_its_details_needs_another_key(api: ApiClient) -> None:
    tea = api.create_product()["id"]

    def place(**fields: Any) -> Response:
        body = {"customer_id": 7, "products": [{"product_id": tea, "quantity": 1}], **fields}
        return api.call("POST", "/api/orders", body, {"Idempotency-Key": "k"})

    first = expect(201, place(metadata={"channel": "app"}))
    for other in (
        {},
        {"metadata": {"channel": "web"}},
        {"metadata": {"channel": "app"}, "email": "ada@example.com"},
        {"metadata": {"channel": "app"}, "charges": [{"kind": "fee", "label": "Fee", "amount": "0"}]},
        {"metadata": {"channel": "app"}, "shipping_address": {"country": "DE"}},
    ):
        assert place(**other).problem() == (422, "idempotency-key-reused")
    # What is absent, null or empty is the same.
    assert expect(201, place(metadata={"channel": "app"}, charges=[], note=None, email=None)) == first
    assert api.stock(tea) == 9


def test_of_a_key_of_the_metadata_that_occurs_twice_the_last_value_counts(api: ApiClient) -> None:
    product_id = api.create_product()["id"]
    body = json.dumps({"customer_id": 7, "products": [{"product_id": product_id, "quantity": 1}], "metadata": {}})
    sent = body.replace('"metadata": {}', '"metadata": {"a": "1", "a": "2"}').encode()
    assert expect(201, api.call("POST", "/api/orders", sent))["metadata"] == {"a": "2"}


def test_the_largest_order_is_accepted(api: ApiClient) -> None:
    products = [{"product_id": api.create_product()["id"], "quantity": 1} for _ in range(100)]
    longest = {**dict.fromkeys(ADDRESS, "漢" * 200), "country": "JP"}
    body = {
        "customer_id": 7,
        "products": products,
        "reference": "漢" * 64,
        "email": f"{'a' * 64}@{'b' * 61}.{'c' * 61}.{'d' * 61}.org",
        "shipping_address": longest,
        "billing_address": longest,
        "charges": [{"kind": "fee", "label": "漢" * 200, "amount": "1"}] * 20,
        "note": "漢" * 1000,
        "metadata": {f"{n:040}": "漢" * 500 for n in range(50)},
    }
    order = expect(201, api.call("POST", "/api/orders", json.dumps(body, ensure_ascii=False).encode()))
    assert len(order["metadata"]) == 50


def test_an_order_keeps_the_currency_and_the_expiry_that_it_was_placed_with(
    api: ApiClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = expect(201, buy(api))
    monkeypatch.setenv("CURRENCY", "EUR")
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", "30")
    second = expect(201, buy(api))
    assert expect(200, api.get(f"/api/orders/{first['id']}")) == first
    assert [order["currency"] for order in (first, second)] == ["USD", "EUR"]
    assert [lives(order) for order in (first, second)] == [timedelta(days=1), timedelta(minutes=30)]


def lives(order: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(order["expires_at"]) - datetime.fromisoformat(order["created_at"])


def test_an_order_of_the_previous_release_gets_the_defaults_of_the_settings(
    database: Connection, order: dict[str, Any]
) -> None:
    # As place_order.sql of 0.2.0.
    database.run("INSERT INTO orders (customer_id, total_price) VALUES (7, 1.00)")
    [old] = database.run("SELECT number, currency, expires_at - created_at FROM orders WHERE customer_id = 7")
    assert old[:2] == [order["number"] + 1, "USD"]
    assert abs(old[2] - timedelta(days=1)) < timedelta(seconds=1)


def test_an_order_without_a_time_to_live_never_expires(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDER_TIME_TO_LIVE_MINUTES", "0")
    assert expect(201, buy(api))["expires_at"] is None


@pytest.mark.parametrize("end", ["paid", "canceled", "completed"])
def test_an_order_that_is_paid_or_not_pending_never_expires(api: ApiClient, order: dict[str, Any], end: str) -> None:
    assert order["expires_at"] is not None
    expect(200, api.pay(order["id"]) if end == "paid" else api.change_status(order["id"], end))
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["expires_at"] is None


def test_an_order_whose_payment_failed_still_expires(api: ApiClient, order: dict[str, Any]) -> None:
    expect(200, api.pay(order["id"], "failed"))
    assert expect(200, api.get(f"/api/orders/{order['id']}"))["expires_at"] == order["expires_at"]
