"""ETag, If-Match and If-None-Match on products."""

from typing import Any

import pytest

from tests.integration.races import Call, two_at_once
from tests.shop import UNKNOWN, Response, Shop, expect


@pytest.fixture
def tea(shop: Shop) -> str:
    product_id: str = shop.create_product()["id"]
    return f"/api/products/{product_id}"


def etag(shop: Shop, path: str) -> str:
    return shop.get(path).headers["etag"]


def update(shop: Shop, path: str, if_match: str, **changes: Any) -> Response:
    return shop.call("PUT", path, changes or {"price": "9"}, {"If-Match": if_match})


def test_a_product_has_one_strong_etag_wherever_it_is_answered(shop: Shop) -> None:
    made = shop.call("POST", "/api/products", {"name": "Grüner Tee 🍵", "price": 1, "quantity": 1})
    path = made.headers["location"]
    assert made.headers["etag"] == etag(shop, path)
    assert made.headers["etag"].startswith('"')
    changed = shop.call("PUT", path, {"price": 2})
    assert changed.headers["etag"] == etag(shop, path) != made.headers["etag"]


def test_a_sale_changes_the_etag(shop: Shop, tea: str) -> None:
    before = etag(shop, tea)
    shop.order((tea.rsplit("/", 1)[1], 1))
    assert etag(shop, tea) != before


@pytest.mark.parametrize("header", ["{}", "W/{}", '"other", {}', "*", ' W/"x" , {} '])
def test_what_is_known_is_not_sent_again(shop: Shop, tea: str, header: str) -> None:
    current = etag(shop, tea)
    response = shop.call("GET", tea, headers={"If-None-Match": header.format(current)})
    assert (response.status, response.text, response.headers["etag"]) == (304, "", current)


@pytest.mark.parametrize("header", ['"other"', "", "x", '""', '"', "x{}"])
def test_what_is_not_known_is_sent(shop: Shop, tea: str, header: str) -> None:
    assert shop.call("GET", tea, headers={"If-None-Match": header.format(etag(shop, tea))}).status == 200


def test_what_is_gone_is_not_found_whatever_is_known(shop: Shop) -> None:
    response = shop.call("GET", f"/api/products/{UNKNOWN}", headers={"If-None-Match": "*"})
    assert response.problem() == (404, "product-not-found")


def test_a_change_with_the_current_etag_is_made(shop: Shop, tea: str) -> None:
    first = update(shop, tea, etag(shop, tea))
    assert expect(200, first)["price"] == "9.00"
    second = update(shop, tea, f'"other", {first.headers["etag"]}', price="8")
    assert expect(200, second)["price"] == "8.00"
    assert expect(200, update(shop, tea, "*", price="7"))["price"] == "7.00"


@pytest.mark.parametrize(
    "header", ['"other"', "W/{}", "w/{}", "W/ {}", "", "x", '"', "{}x", "é", "x{}", "x{}x", '"x" {}', "{},", ",{}"]
)
def test_a_change_with_anything_else_is_refused(shop: Shop, tea: str, header: str) -> None:
    before = shop.get(tea)
    stale = header.format(before.headers["etag"])
    assert update(shop, tea, stale).problem() == (412, "stale-etag")
    assert shop.call("DELETE", tea, headers={"If-Match": stale}).problem() == (412, "stale-etag")
    assert shop.get(tea).text == before.text


def test_the_second_of_two_editors_is_told(shop: Shop, tea: str) -> None:
    read = etag(shop, tea)
    expect(200, update(shop, tea, read, quantity=5))
    assert update(shop, tea, read, quantity=6).problem() == (412, "stale-etag")
    assert expect(200, shop.get(tea))["quantity"] == 5


def test_without_if_match_the_last_writer_wins(shop: Shop, tea: str) -> None:
    for price in ("1", "2"):
        expect(200, shop.call("PUT", tea, {"price": price}))
    assert expect(200, shop.get(tea))["price"] == "2.00"


def test_a_deletion_with_the_current_etag_is_made(shop: Shop, tea: str) -> None:
    assert shop.call("DELETE", tea, headers={"If-Match": etag(shop, tea)}).status == 204
    assert shop.call("DELETE", tea, headers={"If-Match": '"x"'}).problem() == (404, "product-not-found")


def test_of_two_editors_at_once_the_second_waits_and_is_told(shop: Shop, tea: str, database_url: str) -> None:
    request = {"id": tea.rsplit("/", 1)[1], "if_match": [etag(shop, tea).strip('"')]}
    edits = [Call("update_product", {**request, "changes": {"quantity": quantity}}) for quantity in (5, 6)]
    assert two_at_once(database_url, *edits) == ("updated", "stale")
    assert expect(200, shop.get(tea))["quantity"] == 5
