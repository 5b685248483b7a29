"""The types that models share."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, BeforeValidator, TypeAdapter, ValidationError

import openapi.operations  # noqa: F401  imports every model
from storefront.fields import RequestModel
from storefront.texts import Code, Metadata, ShortText, WithoutNul
from tests.characters import CHARACTERS, INVISIBLE

ADAPTER: TypeAdapter[str] = TypeAdapter(ShortText)
SCHEMA = ADAPTER.json_schema()
CODE: TypeAdapter[str] = TypeAdapter(Code)
METADATA: TypeAdapter[dict[str, str]] = TypeAdapter(Metadata)


def test_a_rule_is_hashable() -> None:
    # Python 3.11 compares the members of a union with None by their hash.
    assert {WithoutNul: 1}[WithoutNul] == 1


def test_every_integer_of_a_request_accepts_a_fraction_of_zero_or_is_text() -> None:
    integers = [
        (model.__name__, name, any(isinstance(rule, BeforeValidator) for rule in field.metadata))
        for model in models(RequestModel)
        for name, field in model.model_fields.items()
        if field.annotation is int
    ]
    assert len(integers) > 5
    assert [one for one in integers if not one[2]] == []


def test_a_short_text_has_a_visible_character() -> None:
    # Braille blank, a musical symbol without an image, marks around annotations, Khitan filler, and the Egyptian
    # blanks and marks that arrange hieroglyphs.
    others = {0x2800, 0x1D159, 0xFFF9, 0xFFFA, 0xFFFB, 0x16FE4, *range(0x13430, 0x13443)}
    looks_blank = {
        one
        for one in ("\0", *CHARACTERS)
        if unicodedata.category(one) in ("Zs", "Zl", "Zp", "Cc") or ord(one) in INVISIBLE | others
    }
    assert {one for one in ("\0", *CHARACTERS) if short_text(one) is None} == looks_blank
    assert {one for one in looks_blank if is_allowed(one)} == set()
    assert {one for one in CHARACTERS if not is_allowed(one)} == looks_blank - {"\0"}


def test_a_short_text_has_no_control_characters_and_line_breaks_inside() -> None:
    refused = {one for one in ("\0", *CHARACTERS) if unicodedata.category(one) in ("Cc", "Zl", "Zp")}
    assert len(refused) == 67
    assert {one for one in ("\0", *CHARACTERS) if short_text(f"a{one}b") is None} == refused
    assert {one for one in ("\0", *CHARACTERS) if not is_allowed(f"a{one}b")} == refused


def test_outer_white_space_of_a_short_text_is_removed() -> None:
    # White_Space, in Unicode's PropList.txt.
    spaces = "\t\n\v\f\r \x85\xa0\u1680" + "".join(map(chr, range(0x2000, 0x200B))) + "\u2028\u2029\u202f\u205f\u3000"
    assert short_text(f"{spaces}a b{spaces}") == "a b"
    assert is_allowed(f"{spaces}a b{spaces}")
    assert short_text(spaces + "a" * 255 + spaces) == "a" * 255
    assert short_text("a" * 256) is None


@pytest.mark.parametrize(
    "text", ["👩\u200d🔧", "❤\ufe0f", "می\u200cخواهم", "क्\u200dष", "\u200eabc", "co\u00adop", "🏴\U000e0067\U000e007f"]
)
def test_invisible_characters_may_be_part_of_a_short_text(text: str) -> None:
    assert short_text(text) == text
    assert is_allowed(text)


@pytest.mark.parametrize("form", ["{}", "a{}", "{}a", "a{}b", "{0}{0}", "a b{}"])
def test_a_code_and_its_schema_accept_the_same_characters(form: str) -> None:
    schema = Draft202012Validator(CODE.json_schema())
    accepted = {one for one in ("\0", *CHARACTERS) if accepts(CODE, form.format(one))}
    # Python's $ also matches before a line break at the end. In JSON Schema, it does not.
    described = {one for one in ("\0", *CHARACTERS) if one != "\n" and schema.is_valid(form.format(one))}
    assert accepted == described


@pytest.mark.parametrize(
    ("code", "is_valid"),
    [("", False), ("a" * 64, True), ("a" * 65, False), ("\u200b", False), ("\u200ba\u200b", True), (" a", False)],
)
def test_a_code_has_1_to_64_characters_with_a_visible_one(code: str, *, is_valid: bool) -> None:
    assert accepts(CODE, code) == Draft202012Validator(CODE.json_schema()).is_valid(code) == is_valid


FIFTY: dict[str, str] = {f"key-{n}": "" for n in range(50)}
VALID: list[object] = [{}, FIFTY, {"x" * 40: "y" * 500}, {"_.-": "", "A": "\n"}]
INVALID: list[object] = [{"x" * 41: ""}, {"": ""}, {"a b": ""}, {"ü": ""}, {"a": "\0"}, {"a": 1}, {"a": None}, [], None]


@pytest.mark.parametrize(
    ("metadata", "is_valid"),
    [
        *[(metadata, True) for metadata in VALID],
        *[(metadata, False) for metadata in ({**FIFTY, "a": ""}, {"a": "y" * 501}, *INVALID)],
    ],
    ids=lambda one: str(one)[:30],
)
def test_metadata_and_its_schema_accept_the_same_values(metadata: object, *, is_valid: bool) -> None:
    assert accepts(METADATA, metadata) == is_valid
    assert Draft202012Validator(METADATA.json_schema()).is_valid(metadata) == is_valid


def test_empty_metadata_is_none() -> None:
    assert METADATA.validate_python({}) is None


def accepts(adapter: TypeAdapter[Any], value: object) -> bool:
    try:
        adapter.validate_python(value, strict=True)
    except ValidationError:
        return False
    return True


def short_text(text: str) -> str | None:
    """The value of the text, or None if it is refused."""
    try:
        return ADAPTER.validate_python(text)
    except ValidationError:
        return None


def is_allowed(text: str) -> bool:
    """Whether the API's description allows the text."""
    return re.search(SCHEMA["pattern"], text) is not None


def models(base: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for model in base.__subclasses__():
        yield model
        yield from models(model)
