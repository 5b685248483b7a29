"""Anybody can list products, so no request reads more than a bounded part of them."""

import json
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import db
from tests.integration.large_catalog import fill_catalog
from tests.sizes import SEARCHED_PRODUCTS

pytestmark = pytest.mark.not_behind_a_pooler("the counts are those of the test's own session")

PRODUCTS = SEARCHED_PRODUCTS.chosen

MAX_ROWS = 22_000
"""10,000 in the sort order, and 1,000 and 10,000 that meet a condition, to count them. Measured: 21,002."""

MAX_BUFFERS = 65_000
"""Blocks of 8 kB, most of them read several times: those of the rows, or of the index that counts the total. Measured:
60,581 at one million products."""

MAX_ROWS_UNFILTERED, MAX_BUFFERS_UNFILTERED = 100_100, 170_000
"""The last numbered page without filters. Measured: 100,001 and 164,301."""

LETTERS = "a b c d e f g h i j k l m n o p q r s t u v w x y z"
SORTS = [f"{sign}{key}" for key in ("created_at", "name", "price", "quantity") for sign in ("", "-")]


@pytest.fixture(scope="module")
def large_shop(module_direct_url: str) -> Iterator[Connection]:
    with closing(db.connect(module_direct_url, response_timeout=300)) as connection:
        connection.run("SET statement_timeout = 0")
        fill_catalog(connection, PRODUCTS)
        connection.run("SET statement_timeout = '10s'")
        yield connection


def listed(connection: Connection, **request: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The head of a page, and its products."""
    text = json.dumps({"page_size": 20, **request})
    [[body]] = connection.run("SELECT body FROM list_products(CAST(:request AS jsonb))", request=text)
    head, _, items = body.partition("\n")
    return json.loads(head), json.loads(items)


def reads(connection: Connection, **request: Any) -> tuple[int, int]:
    """The products and the buffers that a request reads."""
    text = json.dumps({"page_size": 20, **request})
    explained = "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) SELECT body FROM list_products(CAST(:request AS jsonb))"
    counted = "SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'products'"
    connection.run("BEGIN")
    [[before]] = connection.run(counted)
    [[[analyzed]]] = connection.run(explained, request=text)
    [[after]] = connection.run(counted)
    connection.run("ROLLBACK")
    return after - before, analyzed["Plan"]["Shared Hit Blocks"] + analyzed["Plan"]["Shared Read Blocks"]


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize(
    "filters",
    [
        *({"q": q} for q in ("common", "first", "last", "many", "rare", "none", "first last", "common first", LETTERS)),
        {"q": "last", "in_stock": "true"},
        {"q": "common", "max_price": "1.00"},
        {"min_price": "10.00", "in_stock": "false"},
        {"max_price": "500.00"},
        {"max_quantity": 5000},
        {"in_stock": "true", "min_price": "0.10", "max_quantity": 12},
    ],
    ids=json.dumps,
)
def test_a_request_reads_a_bounded_number_of_products(
    large_shop: Connection, filters: dict[str, Any], sort: str
) -> None:
    rows, buffers = reads(large_shop, sort=sort, page=1, **filters)
    assert rows <= MAX_ROWS
    assert buffers <= MAX_BUFFERS


@pytest.mark.parametrize("sort", SORTS)
def test_a_page_without_filters_reads_no_more_than_the_pages_before_it(large_shop: Connection, sort: str) -> None:
    first, _ = reads(large_shop, sort=sort, page=1)
    last, buffers = reads(large_shop, sort=sort, page=1000, page_size=100)
    # Only the index is read to count the total.
    assert first == 21
    assert last <= MAX_ROWS_UNFILTERED
    assert buffers <= MAX_BUFFERS_UNFILTERED


@pytest.mark.parametrize("is_descending", [False, True])
def test_products_sorted_by_stock_are_all_listed(large_shop: Connection, *, is_descending: bool) -> None:
    """Their number of digits is in order, and each product occurs once."""
    sort, found = "-quantity" if is_descending else "quantity", list[dict[str, Any]]()
    head, items = listed(large_shop, sort=sort, page_size=10_000)
    found += items
    while head["next"]:
        head, items = listed(large_shop, sort=sort, page_size=10_000, after=head["next"])
        found += items
    assert len({item["id"] for item in found}) == len(found) == PRODUCTS
    digits = [len(str(item["quantity"])) if item["quantity"] else 0 for item in found]
    assert digits == sorted(digits, reverse=is_descending)


@pytest.mark.parametrize(
    "filters",
    [
        {"q": "common"},
        {"in_stock": "true", "max_quantity": 5, "min_price": "0.02"},
        {"max_quantity": 0},
        {"in_stock": "true", "max_quantity": 25},
    ],
    ids=json.dumps,
)
@pytest.mark.parametrize("sort", SORTS)
def test_the_last_numbered_page_with_filters_reads_no_more(
    large_shop: Connection, filters: dict[str, Any], sort: str
) -> None:
    rows, buffers = reads(large_shop, sort=sort, page=11, page_size=100, **filters)
    assert rows <= MAX_ROWS
    assert buffers <= MAX_BUFFERS


def test_a_cursor_from_a_small_shop_reads_no_whole_bucket_of_a_large_one(large_shop: Connection) -> None:
    [[number, id_]] = large_shop.run(
        "SELECT quantity, id::text FROM products WHERE quantity = 1234 ORDER BY id LIMIT 1"
    )
    rows, _ = reads(large_shop, sort="quantity", after=["4", str(number), id_])
    assert rows <= 100
    _, items = listed(large_shop, sort="quantity", after=["4", str(number), id_])
    assert [item["quantity"] for item in items] == [1234] * 9 + [1235] * 10 + [1236]


def test_numbered_pages_show_nothing_that_only_the_cursor_of_an_earlier_page_reaches(large_shop: Connection) -> None:
    """Otherwise, who follows the pages would miss the products between."""
    # No product at this end of the order has the words, and too many have them elsewhere.
    filters: dict[str, Any] = {"q": "first", "sort": "-price", "page_size": 20}
    first, items = listed(large_shop, page=1, **filters)
    second, others = listed(large_shop, page=2, **filters)
    assert (items, others) == ([], [])
    assert first["is_cut"]
    assert first["next"] == second["next"]


def test_few_products_are_sorted_by_their_exact_stock(large_shop: Connection) -> None:
    _, items = listed(large_shop, sort="quantity", page_size=1000, max_quantity=60)
    quantities = [item["quantity"] for item in items]
    assert quantities == sorted(quantities)
    assert len(quantities) == 609


@pytest.mark.parametrize(
    ("word", "sort"), [("first", "-created_at"), ("last", "name"), ("last", "price"), ("many", "-price")]
)
def test_the_cursors_lead_to_all_products_that_match(large_shop: Connection, word: str, sort: str) -> None:
    head, items = listed(large_shop, sort=sort, q=word, page_size=1000)
    found = [items]
    while head["next"]:
        head, items = listed(large_shop, sort=sort, q=word, page_size=1000, after=head["next"])
        found.append(items)
    matching = f"SELECT name FROM products WHERE '{word}' = ANY (name_words) ORDER BY id"
    expected = [name for [name] in large_shop.run(matching)]
    assert [item["name"] for items in found for item in items] == (expected[::-1] if sort.startswith("-") else expected)
    if len(expected) <= 10_000:
        # The scan of the last page can end without another match.
        assert {len(items) for items in found if items} == {1000}


@pytest.mark.parametrize(("word", "total", "is_estimate"), [("rare", 500, False), ("common", PRODUCTS, True)])
def test_the_total_of_a_search_is_exact_up_to_1000(
    large_shop: Connection, word: str, total: int, *, is_estimate: bool
) -> None:
    head, _ = listed(large_shop, sort="price", q=word, page=1)
    assert head["total_is_estimate"] is is_estimate
    assert head["total"] == pytest.approx(total, rel=0.1)


@pytest.mark.parametrize(
    ("q", "rare"),
    [
        ("common last rare a many", ["rare", "many", "last"]),
        ("last common a", ["last", "a", "common"]),
        ("unheard of", ["of", "unheard"]),
        ("common z y x", None),
        ("-", []),
    ],
)
def test_only_the_rarest_words_are_looked_up(large_shop: Connection, q: str, rare: list[str] | None) -> None:
    [[found]] = large_shop.run("SELECT rare_words(:q)", q=q)
    assert found == rare


def test_without_statistics_each_word_is_looked_up(database: Connection) -> None:
    assert database.run("SELECT rare_words('c b a d')") == [[["a", "b", "c"]]]
