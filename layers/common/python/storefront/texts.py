"""Types of texts that several models share: names, codes, notes and metadata."""

import re
from typing import Annotated

from pydantic import Field, StringConstraints
from pydantic_core import PydanticCustomError

from storefront.fields import Rule

# White_Space in Unicode.
_SPACES = r"\t-\r\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
_CONTROLS = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
BLANK = (
    r"\u0000-\u0020\u007f-\u00a0\u00ad\u034f\u061c\u115f-\u1160\u1680\u17b4-\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f"
    r"\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb"
    # As characters, because JSON Schema has no escapes for them.
    "\U00013430-\U00013442\U00016fe4\U0001bca0-\U0001bca3\U0001d159\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
"""For a pattern: spaces, controls, Default_Ignorable_Code_Point, and a few others without an image. The same as in
0002_names.sql."""


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul_character", "String should not contain the NUL character")
    return text


def _one_line(text: str) -> str:
    if re.search(f"[{_CONTROLS}]", text):
        raise PydanticCustomError("control_character", "String should not contain control characters or line breaks")
    return text


def _not_blank(text: str) -> str:
    if not re.search(f"[^{BLANK}]", text):
        raise PydanticCustomError("blank", "String should not be blank")
    return text


def _printable(text: str) -> str:
    return _not_blank(_one_line(text))


WithoutNul = Rule(_without_nul, {"pattern": r"^[^\u0000]*$"})
"""PostgreSQL cannot store the NUL character in a text."""

OneLine = Rule(_one_line, {"pattern": f"^[^{_CONTROLS}]*$"})
"""A text without control characters and line breaks. It can be empty."""

Printable = Rule(_printable, {"minLength": 1, "pattern": f"^[^{_CONTROLS}]*[^{BLANK}][^{_CONTROLS}]*$"})
"""One line with at least one visible character."""

ShortText = Annotated[
    str,
    StringConstraints(strip_whitespace=True, max_length=255),
    Rule(
        _printable,
        {
            "minLength": 1,
            "pattern": f"^[{_SPACES}]*[^{_CONTROLS}]*[^{BLANK}][^{_CONTROLS}]*[{_SPACES}]*$",
            "description": "One line with at least one visible character. Outer white space is removed.",
        },
    ),
]
"""A text of 1 to 255 characters in one line that does not look blank. Outer white space is removed first."""


def _code(text: str) -> str:
    if text != text.strip():
        raise PydanticCustomError("outer_space", "String should not begin or end with white space")
    return _printable(text)


# Not control characters and line breaks. At the ends, also not spaces.
_INNER, _OUTER = f"[^{_CONTROLS}]*", f"[^{_CONTROLS}{_SPACES}]"

Code = Annotated[
    str,
    StringConstraints(max_length=64),
    Rule(_code, {"minLength": 1, "pattern": f"^({_OUTER}{_INNER})?[^{BLANK}]({_INNER}{_OUTER})?$"}),
]
"""A short name that the shop gives, such as a SKU: 1 to 64 printable characters without outer white space."""

_METADATA_KEY = "[A-Za-z0-9_.-]{1,40}"


def _metadata(values: dict[str, str]) -> dict[str, str] | None:
    if not all(re.fullmatch(_METADATA_KEY, key) for key in values):
        raise PydanticCustomError("metadata_key", "Keys should have 1 to 40 characters from A-Z, a-z, 0-9, _, . and -")
    # The database stores no empty objects.
    return values or None


Metadata = Annotated[
    dict[str, Annotated[str, StringConstraints(max_length=500), WithoutNul]],
    Field(max_length=50),
    Rule(_metadata, {"propertyNames": {"pattern": f"^{_METADATA_KEY}$"}}),
]
"""Values of the shop's own systems: up to 50 texts with up to 500 characters each. None instead of an empty object."""

METADATA_RULES = (
    "Values of the shop's own systems: up to 50 texts. Keys have 1 to 40 characters from `A-Z`, `a-z`, `0-9`, `_`, `.` "
    "and `-`. Values have at most 500 characters."
)
"""The rules of Metadata, for descriptions of fields."""

Note = Annotated[str, StringConstraints(min_length=1, max_length=1000), WithoutNul]
"""A text for people. It can have several lines."""


NotBlank = Rule(_not_blank, {"pattern": rf"^[^\u0000]*[^{BLANK}][^\u0000]*$"})
"""At least one visible character, and no NUL. The text can have several lines."""
