"""Types that several models share: ids, money, text that PostgreSQL can hold, query parameters."""

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

from storefront.cold_start import pydantic_plugins  # noqa: F401  before the first model

MAX_INTEGER = 2_147_483_647
"""PostgreSQL's integer."""

MAX_MONEY = Decimal("99999999.99")
"""NUMERIC(10,2)."""

_RFC_3339 = r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?([Zz]|[+-][0-9]{2}:[0-9]{2})"


class RequestModel(BaseModel):
    """What may come in: exact types, and no field that is not listed."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


@dataclass(frozen=True, eq=False)
class Rule:
    """A rule that a function checks, and what the API's description says of it, as JSON Schema has it.

    check: answers the value to go on with, or raises a PydanticCustomError.
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


def _not_blank(text: str) -> str:
    if not re.search(r"\S", text):
        raise PydanticCustomError("blank", "String should not be blank")
    return text


def is_uuid(text: str) -> bool:
    """Whether it is a UUID in the text form of RFC 9562, section 4."""
    return re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text) is not None


def _uuid(text: str) -> str:
    if not is_uuid(text):
        raise PydanticCustomError("uuid_text", "Input should be a UUID")
    return text.lower()


def _plain_decimal(value: Any) -> Any:
    # Python's Decimal also reads "1_0", " 10 ", "1e2", "NaN" and other scripts' digits; a price is none of them. Twenty
    # digits are more than any has, and fit into the links that a filter comes back in.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]{1,20}(\.[0-9]{1,2})?", value):
        raise PydanticCustomError(
            "decimal_text", "Input should be a decimal number with at most 20 digits and 2 places"
        )
    return value


def _two_places(value: Decimal) -> Decimal:
    # One text for one amount: keys and cursors are bound to it.
    return value.quantize(Decimal("0.01"))


def _plain_integer(value: Any) -> Any:
    # The same for a query parameter. Ten digits hold every integer that is allowed anywhere.
    if isinstance(value, str):
        if not re.fullmatch(r"-?[0-9]{1,10}", value):
            raise PydanticCustomError("integer_text", "Input should be a valid integer")
        return int(value)
    return value


def _timestamp(value: Any) -> Any:
    # Stricter than Python, which also reads a date alone, a week or a time without its offset.
    if isinstance(value, str):
        if not re.fullmatch(_RFC_3339, value):
            raise PydanticCustomError(
                "timestamp_text", "Input should be an RFC 3339 time, such as 2026-01-31T12:00:00Z; a + is %2B in a URL"
            )
        try:
            # In UTC, since PostgreSQL takes fewer offsets than RFC 3339 has.
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise PydanticCustomError("timestamp", "Input should be a time that exists") from None
    return value


WithoutNul = Rule(_without_nul, {"pattern": r"^[^\u0000]*$"})
"""PostgreSQL cannot hold the character in a text."""

ShortText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=255),
    WithoutNul,
    Rule(_not_blank, {"pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}),
]
"""A text of 1 to 255 characters that is not blank."""

Id = Annotated[str, Rule(_uuid, {"format": "uuid"})]
"""A UUID in the text form of RFC 9562, section 4, in lower case."""

_Amount = Annotated[
    Decimal,
    # Behind a validator in Python even JSON counts as Python, where strict would take a Decimal alone.
    Field(strict=False, le=MAX_MONEY, decimal_places=2),
    BeforeValidator(_plain_decimal),
]
# Once the bounds on both sides hold: no more digits than Decimal can round.
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
"""An amount in the shop's currency: more than 0, at most 99999999.99, at most two places."""

QueryMoney = Annotated[
    _Amount,
    Field(ge=0),
    _TwoPlaces,
    WithJsonSchema({"type": "string", "pattern": r"^0{0,12}[0-9]{1,8}(\.[0-9]{1,2})?$"}),
]
"""A bound for amounts, 0 among them."""

Timestamp = Annotated[
    datetime,
    BeforeValidator(_timestamp),
    WithJsonSchema({"type": "string", "format": "date-time", "pattern": f"^{_RFC_3339}$"}),
]
"""A time with its offset from UTC, to the microsecond (RFC 3339, section 5.6)."""

QueryInteger = Annotated[int, BeforeValidator(_plain_integer)]
"""An integer of a query string, in ASCII digits."""

PositiveInteger = Field(ge=1, le=MAX_INTEGER)
