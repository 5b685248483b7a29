"""What the product routes take."""

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from storefront.fields import MAX_INTEGER, Money, QueryMoney, RequestModel, Rule, ShortText, WithoutNul
from storefront.lists.parameters import PageParameters


def _not_zero(delta: int) -> int:
    if delta == 0:
        raise PydanticCustomError("zero", "Input should not be 0")
    return delta


def _has_a_word(text: str) -> str:
    # Every name has all of no words.
    if not re.search(r"[^\W_]", text):
        raise PydanticCustomError("no_word", "Input should have a word to look for")
    return text


Description = Annotated[str, StringConstraints(max_length=10_000), WithoutNul]
SearchText = Annotated[str, StringConstraints(max_length=255), WithoutNul, AfterValidator(_has_a_word)]
Quantity = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class NewProduct(RequestModel):
    name: ShortText
    description: Description | None = None
    price: Money
    quantity: Quantity


class ProductChanges(RequestModel):
    """The fields to change, at least one. Only a description can be taken away, with null."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: ShortText = Field(default=None, validate_default=False)  # type: ignore[assignment]  # absent, never null
    description: Description | None = None
    price: Money = Field(default=None, validate_default=False)  # type: ignore[assignment]  # absent, never null
    quantity: Quantity = Field(default=None, validate_default=False)  # type: ignore[assignment]  # absent, never null

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("no_change", "At least one field should be sent")
        return self


class StockAdjustment(RequestModel):
    """Units to add to the stock, or to take from it, and why."""

    delta: Annotated[int, Field(ge=-MAX_INTEGER, le=MAX_INTEGER), Rule(_not_zero, {"not": {"const": 0}})]
    reason: ShortText


class ProductListParameters(PageParameters):
    in_stock: Annotated[
        Literal["true", "false"] | None,
        Field(description="`true` lists the products in stock, `false` the products out of stock."),
    ] = None
    q: Annotated[
        SearchText | None,
        Field(
            description="Words that the product name must contain. All words must match whole words of the name. Case "
            "does not matter. The text must have at least one letter or digit."
        ),
    ] = None
    min_price: Annotated[QueryMoney | None, Field(description="The lowest price to list.")] = None
    max_price: Annotated[QueryMoney | None, Field(description="The highest price to list.")] = None
    sort: Annotated[
        Literal["created_at", "-created_at", "name", "-name", "price", "-price", "quantity", "-quantity"],
        Field(description="The field to sort by. A `-` sorts in descending order. Equal values are sorted by ID."),
    ] = "-created_at"
