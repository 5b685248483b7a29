"""ETag, If-Match and If-None-Match on products."""

from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, Response, expect
from tests.integration.races import Call, two_at_once


@pytest.fixture
def tea(api: ApiClient) -> str:
    product_id: str = api.create_product()["id"]
    return f"/api/products/{product_id}"


def etag(api: ApiClient, path: str) -> str:
    return api.get(path).headers["etag"]


def update(api: ApiClient, path: str, if_match: str, **changes: Any) -> Response:
    return api.call("PUT", path, changes or {"price": "9"}, {"If-Match": if_match})


def test_every_response_with_a_product_has_its_strong_etag(api: ApiClient) -> None:
    made = api.call("POST", "/api/products", {"name": "Grüner Tee 🍵", "price": 1, "quantity": 1})
    path = made.headers["location"]
    assert made.headers["etag"] == etag(api, path)
    assert made.headers["etag"].startswith('"')
    changed = api.call("PUT", path, {"price": 2})
    assert changed.headers["etag"] == etag(api, path) != made.headers["etag"]


def test_a_sale_changes_the_etag(api: ApiClient, tea: str) -> None:
    before = etag(api, tea)
    api.order((tea.rsplit("/", 1)[1], 1))
    assert etag(api, tea) != before


@pytest.mark.parametrize("header", ["{}", "W/{}", '"other", {}', "*", ' W/"x" , {} '])
def test_a_matching_if_none_match_returns_304(api: ApiClient, tea: str, header: str) -> None:
    current = etag(api, tea)
    response = api.call("GET", tea, headers={"If-None-Match": header.format(current)})
    assert (response.status, response.text, response.headers["etag"]) == (304, "", current)


@pytest.mark.parametrize("header", ['"other"', "", "x", '""', '"', "x{}"])
def test_another_if_none_match_returns_200(api: ApiClient, tea: str, header: str) -> None:
    assert api.call("GET", tea, headers={"If-None-Match": header.format(etag(api, tea))}).status == 200


def test_if_none_match_for_an_unknown_product_returns_404(api: ApiClient) -> None:
    response = api.call("GET", f"/api/products/{UNKNOWN}", headers={"If-None-Match": "*"})
    assert response.problem() == (404, "product-not-found")


def test_an_update_with_a_current_if_match_succeeds(api: ApiClient, tea: str) -> None:
    first = update(api, tea, etag(api, tea))
    assert expect(200, first)["price"] == "9.00"
    second = update(api, tea, f'"other", {first.headers["etag"]}', price="8")
    assert expect(200, second)["price"] == "8.00"
    assert expect(200, update(api, tea, "*", price="7"))["price"] == "7.00"


@pytest.mark.parametrize(
    "header", ['"other"', "W/{}", "w/{}", "W/ {}", "", "x", '"', "{}x", "é", "x{}", "x{}x", '"x" {}', "{},", ",{}"]
)
def test_a_stale_or_malformed_if_match_returns_412(api: ApiClient, tea: str, header: str) -> None:
    before = api.get(tea)
    stale = header.format(before.headers["etag"])
    assert update(api, tea, stale).problem() == (412, "stale-etag")
    assert api.call("DELETE", tea, headers={"If-Match": stale}).problem() == (412, "stale-etag")
    assert api.get(tea).text == before.text


def test_a_second_update_with_the_same_etag_returns_412(api: ApiClient, tea: str) -> None:
    read = etag(api, tea)
    expect(200, update(api, tea, read, quantity=5))
    assert update(api, tea, read, quantity=6).problem() == (412, "stale-etag")
    assert expect(200, api.get(tea))["quantity"] == 5


def test_without_if_match_the_last_writer_wins(api: ApiClient, tea: str) -> None:
    for price in ("1", "2"):
        expect(200, api.call("PUT", tea, {"price": price}))
    assert expect(200, api.get(tea))["price"] == "2.00"


def test_a_deletion_with_a_current_if_match_succeeds(api: ApiClient, tea: str) -> None:
    assert api.call("DELETE", tea, headers={"If-Match": etag(api, tea)}).status == 204
    assert api.call("DELETE", tea, headers={"If-Match": '"x"'}).problem() == (404, "product-not-found")


def test_the_second_of_two_concurrent_updates_with_the_same_etag_is_stale(
    api: ApiClient, tea: str, database_url: str
) -> None:
    request = {"id": tea.rsplit("/", 1)[1], "if_match": [etag(api, tea).strip('"')]}
    edits = [Call("update_product", {**request, "changes": {"quantity": quantity}}) for quantity in (5, 6)]
    assert two_at_once(database_url, *edits) == ("updated", "stale")
    assert expect(200, api.get(tea))["quantity"] == 5
