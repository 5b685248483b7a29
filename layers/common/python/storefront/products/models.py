"""The requests of the product routes."""

from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from storefront.fields import MAX_INTEGER, Integer, Money, QueryInteger, QueryMoney, RequestModel, Rule, payable
from storefront.lists.parameters import PageParameters
from storefront.texts import METADATA_RULES, Code, Metadata, ShortText, WithoutNul


def _not_zero(delta: int) -> int:
    if delta == 0:
        raise PydanticCustomError("zero", "Input should not be 0")
    return delta


Price = Annotated[
    Money,
    AfterValidator(payable),
    Field(
        description="In the shop's currency. A price has at most two decimal places, and at most as many as the "
        "currency. Further zeros are allowed: in JPY, `19.00` is valid, and `19.90` is not."
    ),
]
Description = Annotated[str, StringConstraints(max_length=10_000), WithoutNul]
SearchText = Annotated[str, StringConstraints(max_length=255), WithoutNul]
Quantity = Annotated[Integer, Field(ge=0, le=MAX_INTEGER, description="The units in stock.")]
Sku = Annotated[
    Code | None,
    Field(
        description="The shop's own ID of the product. 1 to 64 printable characters without outer white space. No two "
        "products have the same SKU, except deleted ones. Case, Unicode form and width do not matter: `TEA-1` and "
        "`tea-1` are the same."
    ),
]
ProductMetadata = Annotated[
    Metadata | None,
    Field(description=f"{METADATA_RULES} An update replaces all of them."),
]


class NewProduct(RequestModel):
    name: ShortText
    description: Description | None = None
    price: Price
    quantity: Quantity
    sku: Sku = None
    metadata: ProductMetadata = None


class ProductChanges(RequestModel):
    """The fields to change, at least one.

    null removes a description, a SKU or all metadata. No other field can be null.
    """

    model_config = ConfigDict(json_schema_extra={"minProperties": 1})

    name: ShortText = Field(default=None, validate_default=False)  # type: ignore[assignment]  # can be absent, but not null
    description: Description | None = None
    price: Price = Field(default=None, validate_default=False)  # type: ignore[assignment]  # can be absent, but not null
    quantity: Quantity = Field(default=None, validate_default=False)  # type: ignore[assignment]  # can be absent, but not null
    sku: Sku = None
    metadata: ProductMetadata = None

    @model_validator(mode="after")
    def _at_least_one(self) -> Self:
        if not self.model_fields_set:
            raise PydanticCustomError("no_change", "At least one field should be sent")
        return self


class StockAdjustment(RequestModel):
    """A change of the stock, with a reason."""

    delta: Annotated[
        Integer,
        Field(ge=-MAX_INTEGER, le=MAX_INTEGER, description="Units to add, or to remove if negative. Not 0."),
        Rule(_not_zero, {"not": {"const": 0}}),
    ]
    reason: ShortText


class ProductListParameters(PageParameters):
    in_stock: Annotated[
        Literal["true", "false"] | None,
        Field(description="`true` lists the products in stock, `false` the products out of stock."),
    ] = None
    q: Annotated[
        SearchText | None,
        Field(
            description="Words that the product name must contain. All words must match whole words of the name. Case, "
            "Unicode form and width do not matter: `strasse` finds `Straße`. Accents matter. Spaces and punctuation "
            "separate words, but `C++` and `C#` are words. In a URL, write `C++` as `C%2B%2B`, because `+` means a "
            "space there. The text must have at least one word."
        ),
    ] = None
    min_price: Annotated[QueryMoney | None, Field(description="The lowest price to list.")] = None
    max_price: Annotated[QueryMoney | None, Field(description="The highest price to list.")] = None
    max_quantity: Annotated[
        Annotated[QueryInteger, Field(ge=0, le=MAX_INTEGER)] | None,
        Field(description="The highest stock to list. With `sort=quantity`, this is the list of products to reorder."),
    ] = None
    sku: Annotated[
        Code | None, Field(description="The SKU of the product to list. Case, Unicode form and width do not matter.")
    ] = None
    sort: Annotated[
        Literal["created_at", "-created_at", "name", "-name", "price", "-price", "quantity", "-quantity"],
        Field(
            description="The field to sort by. A `-` sorts in descending order. Equal values are sorted by ID. Names "
            "are sorted by code points, but case and Unicode form do not matter. In a shop with more than 50,000 "
            "products, `quantity` sorts only by the number of digits, unless few products match the filters: 7 can "
            "come before 3, but both come before 12. If the list is sorted by a field that changes while you read on "
            "by `cursor`, the product can be missed or repeated: a product whose `name`, `price` or `quantity` changes "
            "moves to another place. Sorted by `created_at`, each product has a fixed place."
        ),
    ] = "-created_at"

    @property
    def max_rows_deep(self) -> int:
        is_filtered = self.model_fields_set - {"page", "page_size", "cursor", "sort"}
        return 1_000 if is_filtered else super().max_rows_deep

    def filters(self) -> dict[str, Any]:
        # A cursor of release 0.2.0 continues after a name, and this release sorts by the folded name.
        return super().filters() | {"sort": self.sort.replace("name", "folded_name")}
