"""The links from page to page, and the totals that they depend on."""

from urllib.parse import parse_qs, urlsplit

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, Response, expect, target
from tests.handlers.lists import PRODUCTS, links


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


def test_where_a_page_was_cut_the_next_link_has_the_cursor(api: ApiClient, database: Connection) -> None:
    database.run(
        """INSERT INTO products (name, price, quantity, created_at)
           SELECT CASE WHEN n <= 5 OR n > 10000 THEN 'Blue' ELSE 'Red' END, 1, 0,
                  '2026-01-01'::timestamptz + n * interval '1 s'
             FROM generate_series(1, 32000) n"""
    )
    found, response = 0, api.get(target(PRODUCTS, q="blue", sort="created_at", page_size=100))
    assert len(response.json["items"]) == 5
    assert "cursor" in links(response)["next"]
    for _ in range(3):
        found += len(response.json["items"])
        response = api.get(links(response)["next"])
    assert found == 205


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
