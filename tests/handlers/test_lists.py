"""Lists: cursors, search, bounds, links and totals."""

import json
import re
import unicodedata
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pg8000.native import Connection

from storefront import settings
from storefront.lists.cursor import encode
from tests import conformance
from tests.api_client import UNKNOWN, ApiClient, Response, expect, target

PRODUCTS = "/api/products"


def follow_cursors(api: ApiClient, path: str, **parameters: Any) -> Iterator[dict[str, Any]]:
    """Yield every item of a list. Each page is requested with the cursor of the page before."""
    page = expect(200, api.get(target(path, **parameters)))
    yield from page["items"]
    while page["next_cursor"] is not None:
        page = expect(200, api.get(target(path, **parameters, cursor=page["next_cursor"])))
        assert page.keys() == {"items", "page_size", "next_cursor"}
        assert page["items"] != []
        yield from page["items"]


def links(response: Response) -> dict[str, str]:
    """The targets of the Link header (RFC 8288) by relation."""
    return {relation: url for url, relation in re.findall(r'<([^>]*)>; rel="(\w+)"', response.headers["link"])}


def product_names(api: ApiClient, **parameters: Any) -> set[str]:
    page = expect(200, api.get(target(PRODUCTS, **parameters)))
    assert page["total"] == len(page["items"])
    return {item["name"] for item in page["items"]}


@pytest.fixture
def seven_products(api: ApiClient) -> list[dict[str, Any]]:
    """Seven products, with equal values in each field that they can be sorted by."""
    return [api.create_product(name=f'Tea, "{n % 3}" ü', price=1 + n % 2, quantity=(9, 0, 10)[n % 3]) for n in range(7)]


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


@pytest.mark.parametrize("sort", ["-created_at", "name"])
@pytest.mark.parametrize("character", ["🍵", "ü", "x"])
def test_the_link_header_stays_under_4_kb(api: ApiClient, character: str, sort: str) -> None:
    # In a URL, an emoji has 12 characters. In a cursor of the list by name, it has 16.
    for _ in range(4):
        api.create_product(name=f"tea {character * 251}")
    q = f"tea {character * 251}"
    first = expect_short_link(api.get(target(PRODUCTS, q=q, sort=sort, page_size=1, page=2)))
    second = api.get(target(PRODUCTS, q=q, sort=sort, page_size=1, cursor=first.json["next_cursor"]))
    assert [len(first.json["items"]), len(second.json["items"])] == [1, 1]
    expect_short_link(second)


def expect_short_link(response: Response) -> Response:
    """A client that follows rel="next" must not take a Link header without it for the end of the list."""
    link = response.headers.get("link", "")
    # Proxies limit all headers together, and API Gateway adds some.
    assert sum(len(f"{name}: {value}\r\n".encode()) for name, value in response.headers.items()) < 3700
    assert 'rel="next"' in link or (link == "" and expect(200, response)["next_cursor"])
    return response


def test_a_long_link_header_keeps_the_links_that_fit(api: ApiClient) -> None:
    for _ in range(3):
        api.create_product(name="ü" * 180)
    page = api.get(target(PRODUCTS, q="ü" * 180, page_size=1, page=2))
    assert links(page).keys() == {"next", "prev", "first"}
    assert api.get(links(page)["next"]).json["items"] != []


def test_a_cursor_signed_with_another_key_returns_400(
    api: ApiClient, seven_products: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    cursor = expect(200, api.get(target(PRODUCTS, page_size=len(seven_products) - 1)))["next_cursor"]
    monkeypatch.setenv("CURSOR_KEY", "another one")
    assert api.get(target(PRODUCTS, cursor=cursor)).problem() == (400, "bad-cursor")


def test_page_and_cursor_together_return_422(api: ApiClient) -> None:
    assert api.get(target(PRODUCTS, cursor="x", page=1)).problem() == (422, "invalid-request")
    assert api.get(target(PRODUCTS, cursor="")).problem() == (422, "invalid-request")


def test_a_search_finds_whole_words_in_any_case_and_order(api: ApiClient) -> None:
    for name in ("Green Tea", "Tea-Towel (linen)", "Teapot", "GRÜNER TEE", "100% Wool", "tea"):
        api.create_product(name=name)
    assert product_names(api, q="tea") == product_names(api, q="TEA") == {"Green Tea", "Tea-Towel (linen)", "tea"}
    assert product_names(api, q="tea GREEN") == product_names(api, q="green, tea!") == {"Green Tea"}
    assert product_names(api, q="grüner") == product_names(api, q="GRÜNER") == {"GRÜNER TEE"}
    assert product_names(api, q="linen towel") == {"Tea-Towel (linen)"}
    assert product_names(api, q="100") == {"100% Wool"}
    assert product_names(api, q="te") == product_names(api, q="tea coffee") == set()


@pytest.mark.parametrize(
    ("name", "searches"),
    [
        ("cre\u0300me brûlée", ["crème", "CRÈME", "cre\u0300me", "BRU\u0302LÉE"]),
        ("Straße", ["STRASSE", "strasse", "STRAẞE"]),
        ("ΣΊΣΥΦΟΣ", ["σίσυφος", "σίσυφοσ", "Σίσυφος"]),
        ("Ｆｕｌｌ Ｗｉｄｔｈ ①", ["full", "ＷＩＤＴＨ", "1"]),
        ("ЧАЙ", ["чай"]),
        ("C++ in a Nutshell", ["c++", "Ｃ＋＋", "nutshell C++"]),
        ("👩\u200d🔧 mug", ["👩\u200d🔧", "MUG 🔧"]),
        ("緑茶", ["緑茶", "茶"]),
        ("un\u00adbreakable", ["unbreakable", "un\u200bbreakable"]),
    ],
)
def test_a_search_ignores_case_and_unicode_form(api: ApiClient, name: str, searches: list[str]) -> None:
    for other in (name, "C", "C#", "creme", "Tea"):
        api.create_product(name=other)
    for q in searches:
        assert product_names(api, q=q) == {name}, q


def test_names_are_sorted_by_their_folded_form(api: ApiClient) -> None:
    names = [
        "apple",
        "Apple",
        "APPLE",
        "Äpfel",
        "a\u0308pfel",
        "banana",
        "Zebra",
        "éclair",
        "Straße",
        "strasse",
        "STRAẞE",
    ]
    made = [api.create_product(name=name) for name in reversed(names)]
    folded = {name: unicodedata.normalize("NFKC", name.casefold()) for name in names}
    ordered = sorted(made, key=lambda item: (folded[item["name"]], item["id"]))
    for page_size in (1, 2, 20):
        assert list(follow_cursors(api, PRODUCTS, sort="name", page_size=page_size)) == ordered
        assert list(follow_cursors(api, PRODUCTS, sort="-name", page_size=page_size)) == ordered[::-1]


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


@pytest.mark.parametrize("q", ["²", "½ ¼", "'", "%", "a' OR '1'='1", "{}", "\\", "a & !b", "<->", '"'])
def test_a_search_has_no_special_characters(api: ApiClient, q: str) -> None:
    api.create_product(name="Tea")
    response = api.get(target(PRODUCTS, q=q))
    assert response.status == 422 or response.json["items"] == []


def test_price_filters_include_both_bounds(api: ApiClient) -> None:
    for price in ("1.00", "2.00", "3.00"):
        api.create_product(name=price, price=price)
    assert product_names(api, min_price="2") == {"2.00", "3.00"}
    assert product_names(api, max_price="2.00") == {"1.00", "2.00"}
    assert product_names(api, min_price="2", max_price="2", sort="price") == {"2.00"}
    assert product_names(api, min_price="3", max_price="1") == product_names(api, max_price="0") == set()


def test_a_cursor_accepts_its_price_filter_in_another_notation(api: ApiClient) -> None:
    for _ in range(2):
        api.create_product(price="1.10")
    cursor = expect(200, api.get(target(PRODUCTS, page_size=1, min_price="1.1")))["next_cursor"]
    assert len(expect(200, api.get(target(PRODUCTS, cursor=cursor, min_price="1.10")))["items"]) == 1


def test_a_search_for_a_rare_word_is_sorted_and_paged(api: ApiClient) -> None:
    for n in range(5):
        api.create_product(name=f"Tea {n}", price=5 - n)
    found = [item["name"] for item in follow_cursors(api, PRODUCTS, q="tea", sort="price", page_size=2)]
    assert found == ["Tea 4", "Tea 3", "Tea 2", "Tea 1", "Tea 0"]


def test_cursors_keep_the_filters(api: ApiClient) -> None:
    for n in range(9):
        api.create_product(name=f"{'Tea' if n % 2 else 'Cup'} {n}", price=n + 1, quantity=n % 3)
    found = follow_cursors(api, PRODUCTS, page_size=1, q="tea", in_stock="true", min_price="3", sort="-price")
    assert [item["name"] for item in found] == ["Tea 7", "Tea 5"]


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


@pytest.mark.usefixtures("seven_products")
def test_links_lead_to_the_other_pages_with_the_same_filters(api: ApiClient) -> None:
    first = api.get(target(PRODUCTS, page_size=3, q="tea", sort="name"))
    assert links(first).keys() == {"first", "next", "last"}
    second = api.get(links(first)["next"])
    assert links(second).keys() == {"first", "prev", "next", "last"}
    assert (second.json["page"], second.json["page_size"]) == (2, 3)
    assert api.get(links(second)["first"]).json == api.get(links(second)["prev"]).json == first.json
    last = api.get(links(second)["last"])
    assert links(last).keys() == {"first", "prev", "last"}
    assert len(last.json["items"]) == 1
    assert parse_qs(urlsplit(links(last)["prev"]).query) == {
        "page": ["2"],
        "page_size": ["3"],
        "q": ["tea"],
        "sort": ["name"],
    }


@pytest.mark.usefixtures("seven_products")
def test_a_page_past_the_end_links_to_the_last_page(api: ApiClient) -> None:
    assert parse_qs(urlsplit(links(api.get(target(PRODUCTS, page_size=3, page=9)))["prev"]).query)["page"] == ["3"]


@pytest.mark.usefixtures("seven_products")
def test_a_page_by_cursor_links_to_the_next_and_the_first_page(api: ApiClient) -> None:
    page = expect(200, api.get(target(PRODUCTS, page_size=3)))
    response = api.get(target(PRODUCTS, page_size=3, cursor=page["next_cursor"]))
    assert links(response).keys() == {"first", "next"}
    assert api.get(links(response)["first"]).json == page
    assert len(api.get(links(response)["next"]).json["items"]) == 1


@pytest.mark.timeout(300)
def test_a_total_is_exact_up_to_100_000_and_estimated_above(api: ApiClient, database: Connection) -> None:
    fill = "INSERT INTO products (name, price, quantity) SELECT 'Tea', 1, 0 FROM generate_series(1, :n)"
    database.run(fill, n=100_000)
    database.run("ANALYZE products")
    exact = api.get(target(PRODUCTS, page_size=100, page=1001))
    assert (exact.json["total"], exact.json["total_pages"], len(exact.json["items"])) == (100_000, 1000, 0)
    assert "total_is_estimate" not in exact.json
    assert "last" in links(exact)

    database.run(fill, n=10_000)
    database.run("ANALYZE products")
    estimated = api.get(target(PRODUCTS, page_size=100, page=1001))
    assert estimated.json["total_is_estimate"] is True
    assert 100_001 <= estimated.json["total"] < 121_000
    # The last numbered page links to the next page with a cursor.
    assert "cursor" in links(estimated)["next"]
    assert "last" not in links(estimated)
    assert len(expect(200, api.get(links(estimated)["next"]))["items"]) == 100

    too_deep = api.get(target(PRODUCTS, page_size=100, page=1002))
    assert too_deep.problem() == (400, "page-too-deep")
    assert "cursor" in too_deep.json["detail"]
