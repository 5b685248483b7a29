"""The requests of the order routes."""

from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from storefront.countries import COUNTRIES
from storefront.fields import (
    Code,
    Id,
    Integer,
    Metadata,
    MoneyOrZero,
    NotBlank,
    Note,
    PositiveInteger,
    QueryInteger,
    RequestModel,
    Rule,
    SignedMoney,
    Timestamp,
    WithoutNul,
)
from storefront.lists.parameters import PageParameters

OrderStatus = Literal["pending", "completed", "canceled"]
PaymentStatus = Literal["unpaid", "paid", "failed"]


class LineItem(RequestModel):
    product_id: Id
    quantity: Annotated[Integer, PositiveInteger, Field(description="The number of units to order.")]


def _country(code: str) -> str:
    if code not in COUNTRIES:
        raise PydanticCustomError("country", "Input should be the code of a country in ISO 3166-1 alpha-2, or XK")
    return code


AddressLine = Annotated[str, StringConstraints(max_length=200), WithoutNul]


class Address(RequestModel):
    """A postal address."""

    name: AddressLine | None = None
    company: AddressLine | None = None
    line1: AddressLine | None = None
    line2: AddressLine | None = None
    city: AddressLine | None = None
    region: AddressLine | None = None
    postal_code: AddressLine | None = None
    country: Annotated[str, Rule(_country, {"enum": sorted(COUNTRIES)})]
    phone: AddressLine | None = None


class Charge(RequestModel):
    """An amount that is added to the line items."""

    kind: Literal["shipping", "tax", "discount", "fee"]
    label: Annotated[str, StringConstraints(min_length=1, max_length=200), WithoutNul]
    amount: SignedMoney

    @model_validator(mode="after")
    def _sign(self) -> Self:
        if (self.amount > 0) if self.kind == "discount" else (self.amount < 0):
            raise PydanticCustomError("sign", "A discount should be at most 0, and any other charge at least 0")
        return self


class NewOrder(RequestModel):
    """A new order. Its prices come from the products."""

    customer_id: Annotated[Integer, PositiveInteger]
    products: Annotated[list[LineItem], Field(min_length=1, max_length=100, description="The line items.")]
    expected_total: Annotated[
        MoneyOrZero | None,
        Field(description="The total that the buyer saw. If the total is another one now, nothing is ordered."),
    ] = None
    reference: Annotated[Code | None, Field(description="The shop's own number of the order. It is unique.")] = None
    email: Annotated[str | None, StringConstraints(min_length=3, max_length=254), WithoutNul] = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    charges: Annotated[list[Charge] | None, Field(max_length=20)] = None
    note: Note | None = None
    metadata: Metadata | None = None

    def quantity_by_product(self) -> dict[str, int]:
        """Return the units of each product, by its ID, in the order of first mention.

        Line items for the same product are added together.
        """
        quantities: dict[str, int] = {}
        for item in self.products:
            quantities[item.product_id] = quantities.get(item.product_id, 0) + item.quantity
        return quantities


class StatusChange(RequestModel):
    status: OrderStatus


class NewNote(RequestModel):
    text: Annotated[Note, NotBlank, Field(description="It can have several lines.")]


class OrderListParameters(PageParameters):
    status: Annotated[OrderStatus | None, Field(description="List only orders with this status.")] = None
    payment_status: Annotated[PaymentStatus | None, Field(description="List only orders with this payment status.")] = (
        None
    )
    customer_id: Annotated[
        Annotated[QueryInteger, PositiveInteger] | None,
        Field(
            description="List only this customer's orders. A customer's token always lists only that customer's orders."
        ),
    ] = None
    created_from: Annotated[Timestamp | None, Field(description="List orders placed at this time or later.")] = None
    created_to: Annotated[Timestamp | None, Field(description="List orders placed at this time or earlier.")] = None
    updated_from: Annotated[
        Timestamp | None,
        Field(description="List orders that last changed at this time or later, for clients that poll."),
    ] = None
    updated_to: Annotated[
        Timestamp | None, Field(description="List orders that last changed at this time or earlier.")
    ] = None
