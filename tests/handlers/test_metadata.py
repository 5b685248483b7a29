"""The metadata of products: values of the shop's own systems."""

import json
import string
from typing import Any

import pytest

from tests.api_client import ApiClient, Response, expect

KEYS = string.ascii_letters + string.digits + "_.-"
FIFTY: dict[str, str] = {f"key-{n}": "" for n in range(50)}


NOT_TEXTS: list[Any] = [None, 1, True, [], {}]


def create(api: ApiClient, metadata: Any) -> Response:
    return api.call("POST", "/api/products", {"name": "Tea", "price": "4.50", "quantity": 10, "metadata": metadata})


def put(api: ApiClient, product: dict[str, Any], metadata: Any) -> Response:
    return api.call("PUT", f"/api/products/{product['id']}", {"metadata": metadata})


@pytest.mark.parametrize(
    "metadata",
    [
        {"warehouse": "B 12"},
        {"empty": ""},
        {"x" * 40: "y" * 500},
        {KEYS[:33]: "😀" * 500, KEYS[33:]: 'line\nbreak\t"quotes" \\ \x7f \u2028'},
        {"null": "null", "0": "1", "-": ".", "__proto__": "a"},
        {**FIFTY, "key-0": "first"},
    ],
    ids=lambda metadata: str(metadata)[:40],
)
def test_metadata_is_returned_as_it_was_sent(api: ApiClient, metadata: dict[str, str]) -> None:
    tea = expect(201, create(api, metadata))
    assert tea["metadata"] == metadata
    assert expect(200, api.get(f"/api/products/{tea['id']}")) == tea
    assert api.items("/api/products") == [tea]
    coffee = api.create_product()
    assert expect(200, put(api, coffee, metadata))["metadata"] == metadata


@pytest.mark.parametrize("nothing", [{}, None])
def test_no_metadata_is_shown_as_an_empty_object(api: ApiClient, nothing: Any) -> None:
    assert api.create_product()["metadata"] == {}
    tea = expect(201, create(api, nothing))
    assert tea["metadata"] == {}
    # Nothing has changed, so the ETag stays the same.
    assert expect(200, put(api, tea, nothing)) == tea
    filled = expect(200, put(api, tea, {"a": "1"}))
    assert expect(200, put(api, filled, nothing))["metadata"] == {}


def test_an_update_replaces_all_metadata(api: ApiClient) -> None:
    tea = expect(201, create(api, {"a": "1", "b": "2"}))
    assert expect(200, put(api, tea, {"b": "3", "c": "4"}))["metadata"] == {"b": "3", "c": "4"}
    changed = expect(200, api.call("PUT", f"/api/products/{tea['id']}", {"price": "5.00"}))
    assert changed["metadata"] == {"b": "3", "c": "4"}


def test_a_product_can_be_sent_as_it_was_received(api: ApiClient) -> None:
    for tea in (api.create_product(), expect(201, create(api, {"b": "1", "a": "2"}))):
        sent = {name: tea[name] for name in ("name", "description", "price", "quantity", "sku", "metadata")}
        assert expect(200, api.call("PUT", f"/api/products/{tea['id']}", sent)) == tea


@pytest.mark.parametrize(
    ("metadata", "pointer"),
    [
        ({**FIFTY, "key-50": ""}, "#/metadata"),
        ({"": "a"}, "#/metadata"),
        ({"x" * 41: "a"}, "#/metadata"),
        *[({key: "a"}, "#/metadata") for key in ("a b", "ü", "a\n", "a\0", "a/b", "[key]", "１", "$", ":")],
        ({"a": "x" * 501}, "#/metadata/a"),
        ({"a": "a\0"}, "#/metadata/a"),
        *[({"a": value}, "#/metadata/a") for value in NOT_TEXTS],
        *[(metadata, "#/metadata") for metadata in ("{}", *NOT_TEXTS[1:4], [["a", "b"]])],
    ],
    ids=lambda one: str(one)[:40],
)
def test_invalid_metadata_is_refused(api: ApiClient, metadata: Any, pointer: str) -> None:
    tea = api.create_product()
    for response in (create(api, metadata), put(api, tea, metadata)):
        assert response.problem() == (422, "invalid-request")
        assert [error["pointer"] for error in response.json["errors"]] == [pointer]
    assert api.items("/api/products") == [tea]


def test_of_a_key_that_occurs_twice_the_last_one_counts(api: ApiClient) -> None:
    body = b'{"name": "Tea", "price": "1", "quantity": 1, "metadata": {"a": "1", "b": "2", "a": "3"}}'
    assert expect(201, api.call("POST", "/api/products", body))["metadata"] == {"a": "3", "b": "2"}


@pytest.mark.parametrize("escape", [r"\ud800", r"\udc00", r"\ud800\ud800"])
@pytest.mark.parametrize("metadata", ['{"a": "%s"}', '{"%s": "a"}'])
def test_a_lone_surrogate_is_not_json(api: ApiClient, metadata: str, escape: str) -> None:
    body = '{"name": "Tea", "price": "1", "quantity": 1, "metadata": ' + metadata % escape + "}"
    assert api.call("POST", "/api/products", body.encode()).problem() == (400, "malformed-body")


def test_another_value_is_another_content_under_a_key(api: ApiClient) -> None:
    first, reordered, other = (
        api.call("POST", "/api/products", body, {"idempotency-key": "k"})
        for body in (
            b'{"name": "Tea", "price": "1", "quantity": 1, "metadata": {"a": "1", "b": ""}}',
            b'{"metadata": {"b": "", "a": "1"}, "name": "Tea", "price": "1", "quantity": 1}',
            b'{"name": "Tea", "price": "1", "quantity": 1, "metadata": {"a": "1", "b": "2"}}',
        )
    )
    assert expect(201, reordered) == expect(201, first)
    assert other.problem() == (422, "idempotency-key-reused")


def test_the_largest_metadata_fits_into_a_request(api: ApiClient) -> None:
    metadata = {f"{n:040}": "😀" * 500 for n in range(50)}
    body = {"name": "Tea", "price": "1", "quantity": 1, "description": "😀" * 10_000, "metadata": metadata}
    response = api.call("POST", "/api/products", json.dumps(body, ensure_ascii=False).encode())
    assert expect(201, response)["metadata"] == metadata
