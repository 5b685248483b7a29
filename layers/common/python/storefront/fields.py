"""Types that several models share: IDs, money, timestamps and query parameters."""

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
