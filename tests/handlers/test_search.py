"""The search for words in names, and the order of names."""

import unicodedata

import pytest

from tests.api_client import ApiClient, target
from tests.handlers.lists import PRODUCTS, follow_cursors, product_names


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


@pytest.mark.parametrize("q", ["²", "½ ¼", "'", "%", "a' OR '1'='1", "{}", "\\", "a & !b", "<->", '"'])
def test_a_search_has_no_special_characters(api: ApiClient, q: str) -> None:
    api.create_product(name="Tea")
    response = api.get(target(PRODUCTS, q=q))
    assert response.status == 422 or response.json["items"] == []


def test_a_search_for_a_rare_word_is_sorted_and_paged(api: ApiClient) -> None:
    for n in range(5):
        api.create_product(name=f"Tea {n}", price=5 - n)
    found = [item["name"] for item in follow_cursors(api, PRODUCTS, q="tea", sort="price", page_size=2)]
    assert found == ["Tea 4", "Tea 3", "Tea 2", "Tea 1", "Tea 0"]
