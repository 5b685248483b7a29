"""Names are folded and split into words by rules that depend on no locale."""

import unicodedata
from collections.abc import Iterator
from contextlib import closing
from itertools import chain

import pytest
from pg8000.native import Connection

from storefront import db
from tests.characters import CHARACTERS, CODE_POINTS, INVISIBLE
from tests.databases import new_database, prepare

SINCE_UNICODE_15 = {
    *chain(range(0x1C89, 0x1C8B), range(0xA7CB, 0xA7DD), range(0x10D40, 0x10D90), range(0x105C0, 0x10600)),
    *chain(range(0x11380, 0x11400), range(0x16100, 0x16140), range(0x16D40, 0x16D80), range(0x1CC00, 0x1CEC0)),
    *chain(range(0x1E030, 0x1E070), range(0x16EA0, 0x16EE0), range(0xA7F0, 0xA7F5), range(0x1F8D0, 0x1F8D9)),
}
"""Characters that PostgreSQL 15 or this version of Python may not know, or the table of letters does not contain."""

SYMBOLS = [(0x2190, 0x2BFF), (0x2E80, 0x303F), (0x3041, 0x3096), (0x3190, 0x4DBF), (0x4E00, 0x9FFF), (0xF900, 0xFAFF)]
SYMBOLS += [(0x1F000, 0x1FBFF), (0x20000, 0x3FFFF)]
"""Blocks in which each character is a word by itself, unless it is punctuation."""


def folded_by_python(text: str) -> str:
    # A name with a trademark sign is the same name. An i with or without a dot is the same letter to most readers.
    text = "".join(one for one in unicodedata.normalize("NFKD", text.strip("™℠")) if ord(one) not in INVISIBLE)
    return unicodedata.normalize("NFKC", text.casefold().replace("i\u0307", "i").replace("ı", "i"))


def is_separator(character: str) -> bool:
    category = unicodedata.category(character)
    is_symbol = category[0] == "S" and ord(character) < SYMBOLS[0][0]
    return (category[0] in "ZP" or category in ("Cc", "Sc") or is_symbol or character in "ʻʼ") and (
        character not in "+#.,"
    )


@pytest.fixture(scope="module")
def database(server_url: str) -> Iterator[Connection]:
    """A session on a database in the locale C, which knows no letters but those of ASCII."""
    with new_database(server_url, "TEMPLATE template0 LOCALE 'C' ENCODING 'UTF8'") as url:
        prepare(url)
        with closing(db.connect(url)) as connection:
            yield connection


def test_every_character_is_folded_as_unicode_says(database: Connection) -> None:
    rows = database.run(
        "SELECT one, fold(one) FROM (SELECT chr(generate_series(first, last)) FROM unnest(CAST(:first AS integer[]),"
        " CAST(:last AS integer[])) planes (first, last)) characters (one) WHERE fold(one) <> one",
        first=[first for first, _ in CODE_POINTS],
        last=[last for _, last in CODE_POINTS],
    )
    changed = {one: folded for one, folded in rows if ord(one) not in SINCE_UNICODE_15}
    expected = {one: folded_by_python(one) for one in CHARACTERS if ord(one) not in SINCE_UNICODE_15}
    assert changed == {one: folded for one, folded in expected.items() if folded != one}


def test_every_character_separates_words_or_is_part_of_one(database: Connection) -> None:
    # As they are after folding. A character that is not assigned may get any meaning.
    characters = [
        one
        for one in CHARACTERS
        if folded_by_python(one) == one and unicodedata.category(one) not in ("Cn", "Cs") and one not in "+#.,"
    ]
    rows = database.run(
        "SELECT one, split_words('a' || one || 'b') FROM unnest(CAST(:characters AS text[])) one", characters=characters
    )

    def expected(one: str) -> list[str]:
        if is_separator(one):
            return ["a", "b"]
        is_word = any(first <= ord(one) <= last for first, last in SYMBOLS)
        return ["a", one, "b"] if is_word else [f"a{one}b"]

    assert len(rows) > 140_000
    assert {one: found for one, found in rows if found != expected(one)} == {}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("C++, C#; C", {"c++", "c#", "c"}),
        ("#1 Mug + Tea+Coffee", {"1", "mug", "tea", "coffee"}),
        ("3.5mm 1,5 l. v1.2.3, .NET", {"3.5mm", "1,5", "l", "v1.2.3", "net"}),
        ("AT&T T-shirt T\N{NON-BREAKING HYPHEN}shirt", {"at", "t", "shirt"}),
        ("Levi's Levi’s LEVIʼS Ｌｅｖｉ＇ｓ", {"levi", "s"}),
        ("un\N{SOFT HYPHEN}break\N{ZERO WIDTH JOINER}able", {"unbreakable"}),
        ("Acme™ Widget®", {"acme", "widget"}),
        ("Apple🍎🍏 👩\N{ZERO WIDTH JOINER}🔧", {"apple", "🍎", "🍏", "👩", "🔧"}),
        ("緑茶ティーバッグ", {"緑", "茶", "ティーバッグ"}),
        ("हिन्दी ไทย", {"हिन्दी", "ไทย"}),
        ("½ m² ①", {"1", "2", "m2"}),
        ("İstanbul ISTANBUL ıstanbul", {"istanbul"}),
        ("++ ## . , !", set()),
    ],
)
def test_words_of_names(database: Connection, name: str, expected: set[str]) -> None:
    [[found]] = database.run("SELECT words(:name)", name=name)
    assert set(found) == expected


def test_a_name_that_grows_when_it_is_folded_fits_into_the_indexes(database: Connection) -> None:
    # Each of these characters becomes 4 to 18 characters.
    for name in ("\ufdfa" * 255, "".join(map(chr, range(0x3300, 0x3358))) * 2 + "x" * 79):
        database.run("INSERT INTO products (name, price, quantity) VALUES (:name, 1, 0)", name=name)
        [[found]] = database.run("SELECT words(:name) <@ words(name) FROM products WHERE name = :name", name=name)
        assert found


def test_a_search_text_that_grows_when_it_is_folded_has_each_word_once(database: Connection) -> None:
    # The planner would scan all products instead of looking up 800 words.
    assert database.run("SELECT cardinality(words(repeat(U&'\\FDFA', 255)))") == [[5]]
