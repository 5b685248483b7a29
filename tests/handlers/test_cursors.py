"""Cursors: each list in full and in order, and the cursors that are refused."""

import json
from typing import Any

import pytest

from storefront import settings
from storefront.lists.cursor import encode
from tests.api_client import ApiClient, expect, target
from tests.handlers.lists import PRODUCTS, follow_cursors


@pytest.mark.usefixtures("seven_products")
@pytest.mark.parametrize("sort", ["created_at", "name", "price", "quantity"])
@pytest.mark.parametrize("direction", ["", "-"])
@pytest.mark.parametrize("page_size", [1, 2, 3, 6, 7, 8])
def test_cursors_return_the_whole_list_in_order(api: ApiClient, sort: str, direction: str, page_size: int) -> None:
    whole = expect(200, api.get(target(PRODUCTS, sort=direction + sort)))["items"]
    assert list(follow_cursors(api, PRODUCTS, sort=direction + sort, page_size=page_size)) == whole
    assert len(whole) == 7


def test_a_cursor_neither_repeats_nor_misses_a_row_when_products_change(
    api: ApiClient, seven_products: list[dict[str, Any]]
) -> None:
    page = expect(200, api.get(target(PRODUCTS, page_size=3)))
    api.create_product(name="newer")
    api.call("DELETE", f"{PRODUCTS}/{page['items'][-1]['id']}")
    rest = expect(200, api.get(target(PRODUCTS, page_size=100, cursor=page["next_cursor"])))["items"]
    assert [item["id"] for item in rest] == [item["id"] for item in seven_products[3::-1]]


@pytest.mark.parametrize(
    ("sort", "change", "times"),
    [
        *[("price", {"price": price}, times) for price, times in (("99.00", 2), ("0.01", 1))],
        *[("-price", {"price": price}, times) for price, times in (("99.00", 1), ("0.01", 2))],
        *[("quantity", {"quantity": quantity}, times) for quantity, times in ((900, 2), (0, 1))],
        *[("name", {"name": name}, times) for name, times in (("z", 2), ("a", 1))],
        *[(sort, change, 1) for sort in ("created_at", "-created_at") for change in ({"price": 99}, {"name": "z"})],
    ],
)
def test_a_changed_sort_key_can_repeat_only_that_product(
    api: ApiClient, sort: str, change: dict[str, Any], times: int
) -> None:
    made = [api.create_product(name=f"m{n}", price=10 + n, quantity=10 + n) for n in range(6)]
    page = expect(200, api.get(target(PRODUCTS, sort=sort, page_size=3)))
    moved = page["items"][1]["id"]
    api.call("PUT", f"{PRODUCTS}/{moved}", change)
    rest = expect(200, api.get(target(PRODUCTS, sort=sort, page_size=100, cursor=page["next_cursor"])))["items"]
    seen = [item["id"] for item in page["items"] + rest]
    assert {product["id"]: seen.count(product["id"]) for product in made} == {
        product["id"]: times if product["id"] == moved else 1 for product in made
    }


@pytest.mark.parametrize("sort", ["price", "quantity", "name"])
def test_a_changed_sort_key_can_hide_only_that_product(api: ApiClient, sort: str) -> None:
    made = [api.create_product(name=f"m{n}", price=10 + n, quantity=10 + n) for n in range(6)]
    page = expect(200, api.get(target(PRODUCTS, sort=sort, page_size=3)))
    api.call("PUT", f"{PRODUCTS}/{made[5]['id']}", {"name": "a", "price": "0.01", "quantity": 0})
    rest = expect(200, api.get(target(PRODUCTS, sort=sort, page_size=100, cursor=page["next_cursor"])))["items"]
    assert [item["id"] for item in page["items"] + rest] == [product["id"] for product in made[:5]]


def test_the_page_size_may_change_between_pages(api: ApiClient, seven_products: list[dict[str, Any]]) -> None:
    page = expect(200, api.get(target(PRODUCTS, page_size=1)))
    rest = expect(200, api.get(target(PRODUCTS, page_size=50, cursor=page["next_cursor"])))
    assert [item["id"] for item in page["items"] + rest["items"]] == [item["id"] for item in seven_products[::-1]]
    assert (rest["page_size"], rest["next_cursor"]) == (50, None)


@pytest.mark.usefixtures("seven_products")
def test_a_cursor_with_any_character_changed_returns_400(api: ApiClient) -> None:
    cursor = expect(200, api.get(target(PRODUCTS, page_size=1)))["next_cursor"]
    expect(200, api.get(target(PRODUCTS, cursor=cursor)))
    changed = [
        f"{cursor[:place]}{'A' if cursor[place] != 'A' else 'B'}{cursor[place + 1 :]}" for place in range(len(cursor))
    ]
    for text in [*changed, cursor[:-1], f"{cursor}A", f"{cursor}=", f" {cursor}", "A", "é", "\0", "A" * 5000]:
        assert api.get(target(PRODUCTS, cursor=text)).problem() == (400, "bad-cursor"), text


@pytest.mark.usefixtures("seven_products")
def test_a_cursor_of_another_filter_sort_order_or_list_returns_400(api: ApiClient) -> None:
    cursor = expect(200, api.get(target(PRODUCTS, page_size=1, sort="name")))["next_cursor"]
    assert api.get(target(PRODUCTS, cursor=cursor)).problem() == (400, "bad-cursor")
    assert api.get(target(PRODUCTS, cursor=cursor, sort="-name")).problem() == (400, "bad-cursor")
    assert api.get(target(PRODUCTS, cursor=cursor, sort="name", q="tea")).problem() == (400, "bad-cursor")
    default = expect(200, api.get(target(PRODUCTS, page_size=1)))["next_cursor"]
    assert api.get(target("/api/orders", cursor=default)).problem() == (400, "bad-cursor")


def test_a_cursor_signed_with_another_key_returns_400(
    api: ApiClient, seven_products: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = expect(200, api.get(target(PRODUCTS, page_size=len(seven_products) - 1)))["next_cursor"]
    monkeypatch.setenv("CURSOR_KEY", "another one")
    assert api.get(target(PRODUCTS, cursor=cursor)).problem() == (400, "bad-cursor")


def test_page_and_cursor_together_return_422(api: ApiClient) -> None:
    assert api.get(target(PRODUCTS, cursor="x", page=1)).problem() == (422, "invalid-request")
    assert api.get(target(PRODUCTS, cursor="")).problem() == (422, "invalid-request")


def test_a_cursor_fits_into_a_url_whatever_the_name(api: ApiClient) -> None:
    for n, name in enumerate(["\ufdfa" * 255, "😀" * 255, "😀" * 255]):
        api.create_product(name=name, price=n + 1)
    whole = expect(200, api.get(target(PRODUCTS, sort="name")))["items"]
    first = expect(200, api.get(target(PRODUCTS, sort="name", page_size=1)))
    assert len(first["next_cursor"]) < 1500
    assert list(follow_cursors(api, PRODUCTS, sort="name", page_size=1)) == whole


@pytest.mark.parametrize("sort", ["name", "-name"])
def test_a_cursor_of_release_0_2_0_by_name_returns_400(api: ApiClient, sort: str) -> None:
    product = api.create_product(name="Zebra")
    bound_to = json.dumps([PRODUCTS, {"sort": sort}])
    old = encode(settings.cursor_key(), bound_to, [product["name"], product["id"]])
    assert api.get(target(PRODUCTS, sort=sort, cursor=old)).problem() == (400, "bad-cursor")
    bound_to = json.dumps([PRODUCTS, {"sort": "-created_at"}])
    old = encode(settings.cursor_key(), bound_to, [product["created_at"], product["id"]])
    expect(200, api.get(target(PRODUCTS, cursor=old)))


def test_a_cursor_accepts_its_price_filter_in_another_notation(api: ApiClient) -> None:
    for _ in range(2):
        api.create_product(price="1.10")
    cursor = expect(200, api.get(target(PRODUCTS, page_size=1, min_price="1.1")))["next_cursor"]
    assert len(expect(200, api.get(target(PRODUCTS, cursor=cursor, min_price="1.10")))["items"]) == 1


def test_cursors_keep_the_filters(api: ApiClient) -> None:
    for n in range(9):
        api.create_product(name=f"{'Tea' if n % 2 else 'Cup'} {n}", price=n + 1, quantity=n % 3)
    found = follow_cursors(api, PRODUCTS, page_size=1, q="tea", in_stock="true", min_price="3", sort="-price")
    assert [item["name"] for item in found] == ["Tea 7", "Tea 5"]
