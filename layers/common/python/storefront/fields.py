"""Types that several models share: ids, money, text that PostgreSQL can hold, query parameters."""

import re
from decimal import Decimal
from typing import Annotated, Any, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)
from pydantic_core import PydanticCustomError

from storefront.errors import PageTooDeep

MAX_INTEGER = 2_147_483_647
"""PostgreSQL's integer."""

MAX_MONEY = Decimal("99999999.99")
"""NUMERIC(10,2)."""

MAX_ROWS_DEEP = 100_000


class RequestModel(BaseModel):
    """What may come in: exact types, and no field that is not listed."""

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise PydanticCustomError("nul_character", "String should not contain the NUL character")
    return text


def _not_blank(text: str) -> str:
    if not re.search(r"\S", text):
        raise PydanticCustomError("blank", "String should not be blank")
    return text


def _uuid(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", text):
        raise PydanticCustomError("uuid_text", "Input should be a UUID")
    return text.lower()


def _plain_decimal(value: Any) -> Any:
    # Python's Decimal also reads "1_0", " 10 ", "1e2", "NaN" and other scripts' digits; a price is none of them.
    if isinstance(value, str) and not re.fullmatch(r"-?[0-9]+(\.[0-9]{1,2})?", value):
        raise PydanticCustomError("decimal_text", "Input should be a decimal number with at most 2 places")
    return value


def _plain_integer(value: Any) -> Any:
    # The same for a query parameter. Ten digits hold every integer that is allowed anywhere.
    if isinstance(value, str):
        if not re.fullmatch(r"-?[0-9]{1,10}", value):
            raise PydanticCustomError("integer_text", "Input should be a valid integer")
        return int(value)
    return value


WithoutNul = AfterValidator(_without_nul)
"""PostgreSQL cannot hold the character in a text."""

NotBlank = AfterValidator(_not_blank)

Id = Annotated[str, AfterValidator(_uuid)]
"""A UUID in the text form of RFC 9562, section 4, in lower case."""

Money = Annotated[
    Decimal,
    # Behind a validator in Python even JSON counts as Python, where strict would take a Decimal alone.
    Field(strict=False, gt=0, le=MAX_MONEY, decimal_places=2),
    BeforeValidator(_plain_decimal),
]
"""An amount in the shop's currency: more than 0, at most 99999999.99, at most two places."""

QueryInteger = Annotated[int, BeforeValidator(_plain_integer)]
"""An integer of a query string, in ASCII digits."""

PositiveInteger = Field(ge=1, le=MAX_INTEGER)


class ListParameters(RequestModel):
    """What every list takes."""

    page: Annotated[QueryInteger, PositiveInteger] = 1
    page_size: Annotated[QueryInteger, Field(ge=1, le=100)] = 20

    @model_validator(mode="after")
    def _within_reach(self) -> Self:
        # PostgreSQL reads and throws away every row before the page. Not a broken rule of the parameter (422) but
        # the contract's 400, which pydantic lets through because it is no ValueError.
        if (self.page - 1) * self.page_size > MAX_ROWS_DEEP:
            raise PageTooDeep(f"Pages reach {MAX_ROWS_DEEP} rows deep; narrow the list with its filters.")
        return self
