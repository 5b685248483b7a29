"""A request with an Idempotency-Key is carried out once, however often it is sent."""

import json
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.actor import ANONYMOUS
from storefront.audit import violations
from tests.api_client import UNKNOWN, ApiClient, Response, expect
from tests.integration.races import once, place, two_at_once


@pytest.fixture
def tea(api: ApiClient) -> str:
    product_id: str = api.create_product(quantity=10)["id"]
    return product_id


def place_with(api: ApiClient, key: str, product_id: str, quantity: int = 1, **fields: Any) -> Response:
    body = {"customer_id": 1, "products": [{"product_id": product_id, "quantity": quantity}], **fields}
    return api.call("POST", "/api/orders", body, {"Idempotency-Key": key})


def test_the_same_again_is_the_first_answer_and_no_second_order(api: ApiClient, tea: str, database: Connection) -> None:
    first, second = place_with(api, "k", tea), place_with(api, "k", tea)
    assert (first.status, second.status) == (201, 201)
    assert second.text == first.text
    assert second.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert api.stock(tea) == 9
    assert violations(database) == []


def test_the_first_answer_stays_whatever_becomes_of_the_order(api: ApiClient, tea: str) -> None:
    first = place_with(api, "k", tea)
    expect(200, api.change_status(first.json["id"], "canceled"))
    assert place_with(api, "k", tea).text == first.text
    assert api.stock(tea) == 10


def test_another_body_under_the_same_key_is_refused(api: ApiClient, tea: str) -> None:
    first = place_with(api, "k", tea)
    assert place_with(api, "k", tea, 2).problem() == (422, "idempotency-key-reused")
    assert place_with(api, "k", tea, customer_id=2).problem() == (422, "idempotency-key-reused")
    assert place_with(api, "k", tea).text == first.text
    assert api.stock(tea) == 9


def test_the_same_body_may_be_written_in_another_way(api: ApiClient, tea: str) -> None:
    first = place_with(api, "k", tea, 2)
    line = {"quantity": 1, "product_id": tea.upper()}
    body = json.dumps({"products": [line, line], "customer_id": 1}, indent=4).encode()
    assert api.call("POST", "/api/orders", body, {"Idempotency-Key": "k"}).text == first.text


@pytest.mark.parametrize("prices", [('"4.50"', "4.5"), ('"4.5"', "4.50"), ('"4.00"', "4"), ("4", "4.0"), ("1e1", "10")])
def test_one_price_written_in_two_ways_is_one_content(api: ApiClient, prices: tuple[str, str]) -> None:
    bodies = [b'{"name": "Cup", "price": %s, "quantity": 1}' % price.encode() for price in prices]
    first, second = (api.call("POST", "/api/products", body, {"Idempotency-Key": "k"}) for body in bodies)
    assert (first.status, second.text) == (201, first.text)


def test_a_key_that_was_sent_twice_is_one_key(api: ApiClient, tea: str) -> None:
    first = place_with(api, "k", tea)
    # As API Gateway joins them.
    assert {place_with(api, key, tea).text for key in ("k,k", "k, k", '"k","k"')} == {first.text}


@pytest.mark.parametrize(
    ("bare", "quoted"),
    [("k", '"k"'), ("k", ' "k" '), (r"a\b", r'"a\\b"'), ('a"b', r'"a\"b"'), ("a,b", '"a,b"'), (",", '","')],
)
def test_quoted_and_bare_are_one_key(api: ApiClient, tea: str, bare: str, quoted: str) -> None:
    first = place_with(api, quoted, tea)
    assert (first.status, first.text) == (201, place_with(api, bare, tea).text)


def test_keys_that_differ_are_two_orders(api: ApiClient, tea: str) -> None:
    keys = ["k", "K", "k2", "x" * 255, "!~"]
    orders = {place_with(api, key, tea).json["id"] for key in keys}
    assert len(orders) == len(keys)


@pytest.mark.parametrize(
    "key", ["", " ", '""', '"', '"k', 'k" "', '"k"x', '"a b"', "a b", "x" * 256, "é", "\x7f", "a\0", r'"\k"', '"a"b"']
)
def test_a_key_that_breaks_a_rule_is_refused(api: ApiClient, tea: str, key: str) -> None:
    response = place_with(api, key, tea)
    assert response.problem() == (422, "invalid-request")
    assert response.json["errors"][0]["header"] == "Idempotency-Key"
    assert api.stock(tea) == 10


def test_a_refused_order_keeps_nothing_under_its_key(api: ApiClient, tea: str, database: Connection) -> None:
    assert place_with(api, "k", tea, 11).problem() == (400, "insufficient-stock")
    assert place_with(api, "k", UNKNOWN).problem() == (404, "product-not-found")
    assert place_with(api, "k", tea, 0).problem() == (422, "invalid-request")
    assert database.run("SELECT count(*) FROM idempotency_keys") == [[0]]
    assert place_with(api, "k", tea, 10).status == 201


def test_a_key_is_its_caller_s_own(api: ApiClient, tea: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = place_with(api, "k", tea)
    monkeypatch.setattr("storefront.actor.ANONYMOUS", "somebody else")
    second = place_with(api, "k", tea)
    assert second.json["id"] != first.json["id"]


def test_a_key_is_its_route_s_own(api: ApiClient, tea: str) -> None:
    place_with(api, "k", tea)
    key = {"Idempotency-Key": "k"}
    adjustment = {"delta": 5, "reason": "found"}
    path = f"/api/products/{tea}/stock-adjustments"
    assert api.call("POST", path, adjustment, key).headers.get("idempotent-replayed") is None
    assert api.call("POST", path, adjustment, key).headers["idempotent-replayed"] == "true"
    assert api.stock(tea) == 14
    product = {"name": "Cup", "price": 1, "quantity": 1}
    assert api.call("POST", "/api/products", product, key).text == api.call("POST", "/api/products", product, key).text


def test_a_key_lives_72_hours(api: ApiClient, tea: str, database: Connection) -> None:
    first = place_with(api, "k", tea)
    database.run("UPDATE idempotency_keys SET created_at = created_at - interval '71 hours 59 minutes'")
    assert place_with(api, "k", tea).text == first.text
    database.run("UPDATE idempotency_keys SET created_at = created_at - interval '2 minutes'")
    second = place_with(api, "k", tea, 2)
    assert second.status == 201
    assert second.json["id"] != first.json["id"]
    assert place_with(api, "k", tea, 2).text == second.text


def test_while_the_first_runs_the_second_waits_for_its_answer(api: ApiClient, tea: str, database_url: str) -> None:
    call = once(place((tea, 1)), "k")
    assert two_at_once(database_url, call, call) == ("placed", "replayed")
    assert api.stock(tea) == 9


def test_of_two_bodies_under_one_key_at_once_the_second_is_refused(api: ApiClient, tea: str, database_url: str) -> None:
    outcomes = two_at_once(database_url, once(place((tea, 1)), "k"), once(place((tea, 2)), "k"))
    assert outcomes == ("placed", "key_reused")
    assert api.stock(tea) == 9


def test_a_first_that_runs_for_too_long_is_409_with_retry_after(api: ApiClient, tea: str, database: Connection) -> None:
    name = database.run("SELECT quote_ident(current_database())")[0][0]
    database.run(f"ALTER DATABASE {name} SET lock_timeout = 50")
    db.disconnect()
    database.run("BEGIN")
    assert once(place((tea, 1)), "k", caller=ANONYMOUS).run(database) == "placed"
    response = place_with(api, "k", tea)
    assert response.problem() == (409, "idempotency-key-in-flight")
    assert response.headers["retry-after"] == "2"
    database.run("ROLLBACK")
    assert place_with(api, "k", tea).status == 201


def test_a_busy_product_is_503_and_not_409(api: ApiClient, tea: str, database: Connection) -> None:
    name = database.run("SELECT quote_ident(current_database())")[0][0]
    database.run(f"ALTER DATABASE {name} SET lock_timeout = 50")
    db.disconnect()
    database.run("BEGIN")
    database.run("SELECT FROM products FOR UPDATE")
    assert place_with(api, "k", tea).problem() == (503, "unavailable")
    database.run("ROLLBACK")
    assert place_with(api, "k", tea).status == 201
