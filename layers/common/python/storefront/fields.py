"""Types that several models share: IDs, money, text, timestamps and query parameters."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
)
from pydantic_core import CoreSchema, PydanticCustomError, core_schema

from storefront import settings
from storefront.cold_start import pydantic_plugins  # noqa: F401  must come before the first model
from storefront.currencies import price_places

MAX_INTEGER = 2_147_483_647
"""The largest integer in PostgreSQL."""

MAX_MONEY = Decimal("99999999.99")
"""The largest NUMERIC(10,2) in PostgreSQL."""

_RFC_3339 = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"

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


class RequestModel(BaseModel):
    """A request. Types are exact, and unknown fields are errors."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule that a function checks, with its JSON Schema for the API's description.

    check: returns the value, or raises PydanticCustomError.
    """

    check: Callable[[Any], Any]
    schema: dict[str, Any]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self.check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        return {**handler(schema), **self.schema}


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul_character", "String should not contain the NUL character")
    return text


def _one_line(text: str) -> str:
    if re.search(f"[{_CONTROLS}]", text):
        raise PydanticCustomError("control_character", "String should not contain control characters or line breaks")
    return text


def _printable(text: str) -> str:
    _one_line(text)
    if not re.search(f"[^{BLANK}]", text):
        raise PydanticCustomError("blank", "String should not be blank")
    return text


def is_uuid(text: str) -> bool:
    """Return whether a text is a UUID in the form of RFC 9562, section 4."""
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise PydanticCustomError("uuid_text", "Input should be a UUID")
    return text.lower()


def _plain_decimal(value: Any) -> Any:
    # Python's Decimal also accepts "1_0", " 10 ", "1e2", "NaN" and digits of other scripts. Prices have fewer than 20
    # digits, and 20 fit into the Link header, which repeats the filters.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,2})?", value):
        raise PydanticCustomError(
            "decimal_text", "Input should be a decimal number with at most 20 digits and 2 places"
        )
    return value


def _two_places(value: Decimal) -> Decimal:
    # Equal amounts have the same text, because idempotency keys and cursors depend on it. Adding 0 turns -0 into 0.
    return value.quantize(Decimal("0.01")) + 0


def _whole_number(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _plain_integer(value: Any) -> Any:
    # As for decimals, with up to 20 digits. Ten behind leading zeros are enough for every allowed integer.
    if isinstance(value, str):
        if not re.fullmatch(r"-?0{0,10}[0-9]{1,10}", value):
            raise PydanticCustomError("integer_text", "Input should be a valid integer")
        return int(value)
    return value


def _timestamp(value: Any) -> Any:
    # Python also accepts dates, weeks and times without an offset.
    if isinstance(value, str):
        if not re.fullmatch(_RFC_3339, value):
            raise PydanticCustomError(
                "timestamp_text",
                "Input should be an RFC 3339 time, such as 2026-01-31T12:00:00Z. In a URL, write + as %2B.",
            )
        try:
            # In UTC, because PostgreSQL accepts fewer offsets than RFC 3339.
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise PydanticCustomError("timestamp", "Input should be an existing date and time") from None
    return value


def payable(amount: Decimal) -> Decimal:
    """Check that an amount has at most as many decimal places as the shop's currency."""
    currency = settings.currency()
    if amount != round(amount, price_places(currency)):
        raise PydanticCustomError(
            "decimal_places",
            "Input should be a whole number, because {currency} has no decimal places",
            {"currency": currency},
        )
    return amount


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


def _not_blank(text: str) -> str:
    if not re.search(f"[^{BLANK}]", text):
        raise PydanticCustomError("blank", "String should not be blank")
    return text


NotBlank = Rule(_not_blank, {"pattern": rf"^[^\u0000]*[^{BLANK}][^\u0000]*$"})
"""At least one visible character, and no NUL. The text can have several lines."""

Id = Annotated[str, Rule(_uuid, {"format": "uuid"})]
"""A UUID in the text form of RFC 9562, section 4, in lowercase."""

_Amount = Annotated[
    Decimal,
    # After a validator in Python, strict mode would accept only a Decimal, even from JSON.
    Field(strict=False, le=MAX_MONEY, decimal_places=2),
    BeforeValidator(_plain_decimal),
]
# Runs after the bounds are checked, so that Decimal can round the digits.
_TwoPlaces = AfterValidator(_two_places)

Money = Annotated[
    _Amount,
    Field(gt=0),
    _TwoPlaces,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^0{0,12}[0-9]{1,8}(\.[0-9]{1,2})?$", "not": {"pattern": "^[0.]*$"}},
                {"type": "number", "exclusiveMinimum": 0, "maximum": float(MAX_MONEY), "multipleOf": 0.01},
            ]
        }
    ),
]
"""An amount in the shop's currency: more than 0, at most 99999999.99, with at most two decimal places."""

SignedMoney = Annotated[
    _Amount,
    Field(ge=-MAX_MONEY),
    _TwoPlaces,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^-?0{0,12}[0-9]{1,8}(\.[0-9]{1,2})?$"},
                {
                    "type": "number",
                    "minimum": -float(MAX_MONEY),
                    "maximum": float(MAX_MONEY),
                    "multipleOf": 0.01,
                },
            ]
        }
    ),
]
"""As Money, but it can be 0 or negative."""

MoneyOrZero = Annotated[
    _Amount,
    Field(ge=0),
    _TwoPlaces,
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string", "pattern": r"^0{0,12}[0-9]{1,8}(\.[0-9]{1,2})?$"},
                {"type": "number", "minimum": 0, "maximum": float(MAX_MONEY), "multipleOf": 0.01},
            ]
        }
    ),
]
"""As Money, but it can be 0."""

QueryMoney = Annotated[
    _Amount,
    Field(ge=0),
    _TwoPlaces,
    WithJsonSchema({"type": "string", "pattern": r"^0{0,12}[0-9]{1,8}(\.[0-9]{1,2})?$"}),
]
"""An amount in a query string. It can be 0."""

Timestamp = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_RFC_3339}$"}),
]
"""A time with an offset from UTC and up to six decimal places of a second (RFC 3339, section 5.6)."""

Integer = Annotated[int, BeforeValidator(_whole_number)]
"""An integer in a body. `1.0` and `1e0` are the integer 1 (JSON Schema Validation, section 6.1.1)."""

QueryInteger = Annotated[int, BeforeValidator(_plain_integer)]
"""An integer in a query string, in ASCII digits."""

PositiveInteger = Field(ge=1, le=MAX_INTEGER)
