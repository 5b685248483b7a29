"""A request with an Idempotency-Key is processed once, no matter how often it is sent."""

import hashlib
import json
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.actor import ANONYMOUS
from storefront.audit import violations
from tests.api_client import UNKNOWN, ApiClient, Response, expect
from tests.integration.races import once, place, two_at_once


def place_with(api: ApiClient, key: str, product_id: str, quantity: int = 1, **fields: Any) -> Response:
    body = {"customer_id": 1, "products": [{"product_id": product_id, "quantity": quantity}], **fields}
    return api.call("POST", "/api/orders", body, {"Idempotency-Key": key})


def test_a_repeated_request_returns_the_first_response_and_places_no_order(
    api: ApiClient, tea: str, database: Connection
) -> None:
    first, second = place_with(api, "k", tea), place_with(api, "k", tea)
    assert (first.status, second.status) == (201, 201)
    assert second.text == first.text
    assert second.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert api.stock(tea) == 9
    assert violations(database) == []


def test_a_repeated_request_returns_the_first_response_after_the_order_changed(api: ApiClient, tea: str) -> None:
    first = place_with(api, "k", tea)
    expect(200, api.change_status(first.json["id"], "canceled"))
    assert place_with(api, "k", tea).text == first.text
    assert api.stock(tea) == 10


def test_the_same_key_with_another_body_returns_422(api: ApiClient, tea: str) -> None:
    first = place_with(api, "k", tea)
    assert place_with(api, "k", tea, 2).problem() == (422, "idempotency-key-reused")
    assert place_with(api, "k", tea, customer_id=2).problem() == (422, "idempotency-key-reused")
    assert place_with(api, "k", tea).text == first.text
    assert api.stock(tea) == 9


def test_a_product_that_the_previous_release_created_is_not_created_again(api: ApiClient, database: Connection) -> None:
    # Release 0.2.0 had no optional fields but the description.
    content = {"name": "Tea", "description": None, "price": "4.50", "quantity": 10}
    fingerprint = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    database.run(
        """INSERT INTO idempotency_keys (caller, operation, key, fingerprint, body)
           VALUES ('anonymous', 'create_product', 'k', :fingerprint, :body)""",
        fingerprint=fingerprint,
        body=api.get(f"/api/products/{api.create_product()['id']}").text.removesuffix("\n"),
    )
    body = {"name": "Tea", "price": "4.50", "quantity": 10}
    again, other = (
        api.call("POST", "/api/products", {**body, **fields}, {"Idempotency-Key": "k"}) for fields in ({}, {"sku": "a"})
    )
    assert (again.status, again.headers["idempotent-replayed"]) == (201, "true")
    assert other.problem() == (422, "idempotency-key-reused")


def test_the_same_body_in_another_notation_is_replayed(api: ApiClient, tea: str) -> None:
    first = place_with(api, "k", tea, 2)
    line_item = {"quantity": 1, "product_id": tea.upper()}
    body = json.dumps({"products": [line_item, line_item], "customer_id": 1}, indent=4).encode()
    assert api.call("POST", "/api/orders", body, {"Idempotency-Key": "k"}).text == first.text


@pytest.mark.parametrize("prices", [('"4.50"', "4.5"), ('"4.5"', "4.50"), ('"4.00"', "4"), ("4", "4.0"), ("1e1", "10")])
def test_equal_prices_in_different_notations_are_the_same_body(api: ApiClient, prices: tuple[str, str]) -> None:
    bodies = [b'{"name": "Cup", "price": %s, "quantity": 1}' % price.encode() for price in prices]
    first, second = (api.call("POST", "/api/products", body, {"Idempotency-Key": "k"}) for body in bodies)
    assert (first.status, second.text) == (201, first.text)


def test_a_repeated_key_header_is_one_key(api: ApiClient, tea: str) -> None:
    first = place_with(api, "k", tea)
    # API Gateway joins repeated headers with a comma.
    assert {place_with(api, key, tea).text for key in ("k,k", "k, k", '"k","k"')} == {first.text}


@pytest.mark.parametrize(
    ("bare", "quoted"),
    [("k", '"k"'), ("k", ' "k" '), (r"a\b", r'"a\\b"'), ('a"b', r'"a\"b"'), ("a,b", '"a,b"'), (",", '","')],
)
def test_a_quoted_and_a_bare_key_are_the_same(api: ApiClient, tea: str, bare: str, quoted: str) -> None:
    first = place_with(api, quoted, tea)
    assert (first.status, first.text) == (201, place_with(api, bare, tea).text)


def test_different_keys_place_different_orders(api: ApiClient, tea: str) -> None:
    keys = ["k", "K", "k2", "x" * 255, "!~"]
    orders = {place_with(api, key, tea).json["id"] for key in keys}
    assert len(orders) == len(keys)


@pytest.mark.parametrize(
    "key", ["", " ", '""', '"', '"k', 'k" "', '"k"x', '"a b"', "a b", "x" * 256, "é", "\x7f", "a\0", r'"\k"', '"a"b"']
)
def test_an_invalid_key_returns_422(api: ApiClient, tea: str, key: str) -> None:
    response = place_with(api, key, tea)
    assert response.problem() == (422, "invalid-request")
    assert response.json["errors"][0]["header"] == "Idempotency-Key"
    assert api.stock(tea) == 10


def test_a_refused_order_stores_no_key(api: ApiClient, tea: str, database: Connection) -> None:
    assert place_with(api, "k", tea, 11).problem() == (400, "insufficient-stock")
    assert place_with(api, "k", UNKNOWN).problem() == (404, "product-not-found")
    assert place_with(api, "k", tea, 0).problem() == (422, "invalid-request")
    assert database.run("SELECT count(*) FROM idempotency_keys") == [[0]]
    assert place_with(api, "k", tea, 10).status == 201


def test_a_key_belongs_to_its_caller(api: ApiClient, tea: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = place_with(api, "k", tea)
    monkeypatch.setattr("storefront.actor.ANONYMOUS", "somebody else")
    second = place_with(api, "k", tea)
    assert second.json["id"] != first.json["id"]


def test_a_key_belongs_to_its_route(api: ApiClient, tea: str) -> None:
    place_with(api, "k", tea)
    key = {"Idempotency-Key": "k"}
    adjustment = {"delta": 5, "reason": "found"}
    path = f"/api/products/{tea}/stock-adjustments"
    assert api.call("POST", path, adjustment, key).headers.get("idempotent-replayed") is None
    assert api.call("POST", path, adjustment, key).headers["idempotent-replayed"] == "true"
    assert api.stock(tea) == 14
    product = {"name": "Cup", "price": 1, "quantity": 1}
    assert api.call("POST", "/api/products", product, key).text == api.call("POST", "/api/products", product, key).text


def test_a_key_expires_after_72_hours(api: ApiClient, tea: str, database: Connection) -> None:
    first = place_with(api, "k", tea)
    database.run("UPDATE idempotency_keys SET created_at = created_at - interval '71 hours 59 minutes'")
    assert place_with(api, "k", tea).text == first.text
    database.run("UPDATE idempotency_keys SET created_at = created_at - interval '2 minutes'")
    second = place_with(api, "k", tea, 2)
    assert second.status == 201
    assert second.json["id"] != first.json["id"]
    assert place_with(api, "k", tea, 2).text == second.text


def test_a_concurrent_second_request_waits_and_gets_the_first_response(
    api: ApiClient, tea: str, database_url: str
) -> None:
    call = once(place((tea, 1)), "k")
    assert two_at_once(database_url, call, call) == ("placed", "replayed")
    assert api.stock(tea) == 9


def test_a_concurrent_request_with_another_body_is_refused(api: ApiClient, tea: str, database_url: str) -> None:
    outcomes = two_at_once(database_url, once(place((tea, 1)), "k"), once(place((tea, 2)), "k"))
    assert outcomes == ("placed", "key_reused")
    assert api.stock(tea) == 9


def test_a_key_still_in_use_returns_409_with_retry_after(api: ApiClient, tea: str, database: Connection) -> None:
    name = database.run("SELECT quote_ident(current_database())")[0][0]
    database.run(f"ALTER DATABASE {name} SET lock_timeout = 50")
    db.disconnect()
    database.run("BEGIN")
    assert once(place((tea, 1)), "k", caller=ANONYMOUS).run(database) == "placed"
    response = place_with(api, "k", tea)
    assert response.problem() == (409, "idempotency-key-in-flight")
    assert 1 <= int(response.headers["retry-after"]) <= 5
    database.run("ROLLBACK")
    assert place_with(api, "k", tea).status == 201


def test_a_locked_product_returns_503_and_not_409(api: ApiClient, tea: str, database: Connection) -> None:
    name = database.run("SELECT quote_ident(current_database())")[0][0]
    database.run(f"ALTER DATABASE {name} SET lock_timeout = 50")
    db.disconnect()
    database.run("BEGIN")
    database.run("SELECT FROM products FOR UPDATE")
    assert place_with(api, "k", tea).problem() == (503, "unavailable")
    database.run("ROLLBACK")
    assert place_with(api, "k", tea).status == 201
