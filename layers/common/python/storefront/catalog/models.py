"""What the product routes take."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from storefront.fields import MAX_INTEGER, ListParameters, Money, NotBlank, RequestModel, WithoutNul

Name = Annotated[str, StringConstraints(min_length=1, max_length=255), WithoutNul, NotBlank]
Description = Annotated[str, StringConstraints(max_length=10_000), WithoutNul]
Quantity = Annotated[int, Field(ge=0, le=MAX_INTEGER)]


class NewProduct(RequestModel):
    name: Name
    description: Description | None = None
    price: Money
    quantity: Quantity


class ProductChanges(RequestModel):
    """The fields to change, at least one. Only a description can be taken away, with null."""

    name: Name = Field(default=None, validate_default=False)  # type: ignore[assignment]  # absent, never null
    description: Description | None = None
    price: Money = Field(default=None, validate_default=False)  # type: ignore[assignment]  # absent, never null
    quantity: Quantity = Field(default=None, validate_default=False)  # type: ignore[assignment]  # absent, never null

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("no_change", "At least one field should be sent")
        return self


class ProductListParameters(ListParameters):
    in_stock: Literal["true", "false"] | None = None
    sort: Literal["created_at", "-created_at", "name", "-name", "price", "-price", "quantity", "-quantity"] = (
        "-created_at"
    )
