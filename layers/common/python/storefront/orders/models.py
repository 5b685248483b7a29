"""The requests of the order routes."""

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, model_validator

from storefront.errors import InvalidRequest
from storefront.fields import Id, Integer, MoneyOrZero, PositiveInteger, QueryInteger, RequestModel, Timestamp
from storefront.lists.parameters import PageParameters
from storefront.orders.charges import Charge
from storefront.orders.contact import Address, EmailAddress
from storefront.texts import METADATA_RULES, Code, Metadata, NotBlank, Note, WithoutNul

OrderStatus = Literal["pending", "completed", "canceled"]
PaymentStatus = Literal["unpaid", "paid", "failed"]


class LineItem(RequestModel):
    product_id: Id
    quantity: Annotated[Integer, PositiveInteger, Field(description="The number of units to order.")]


class NewOrder(RequestModel):
    """A new order. Its prices come from the products."""

    customer_id: Annotated[Integer, PositiveInteger]
    products: Annotated[list[LineItem], Field(min_length=1, max_length=100, description="The line items.")]
    expected_total: Annotated[
        MoneyOrZero | None,
        Field(description="The total that the buyer saw. If the total is another one now, nothing is ordered."),
    ] = None
    expires_in_minutes: Annotated[
        Annotated[Integer, PositiveInteger] | None,
        Field(
            description="Cancel the order after so many minutes, unless it is paid or would be canceled before that."
        ),
    ] = None
    reference: Annotated[
        Code | None,
        Field(
            description="The shop's own number of the order. 1 to 64 printable characters without outer white space. It"
            " is unique. Customers cannot send it."
        ),
    ] = None
    email: EmailAddress | None = None
    shipping_address: Address | None = None
    billing_address: Address | None = None
    charges: Annotated[
        list[Charge] | None,
        Field(max_length=20, description="What is added to the line items. Customers cannot send charges."),
    ] = None
    note: Annotated[
        Annotated[str, StringConstraints(max_length=1000), WithoutNul] | None,
        Field(description="The customer's own note, such as a wish for the delivery. An empty note is no note."),
    ] = None
    metadata: Annotated[Metadata | None, Field(description=METADATA_RULES)] = None

    def quantity_by_product(self) -> dict[str, int]:
        """Return the units of each product, by its ID, in the order of first mention.

        Line items for the same product are added together.
        """
        quantities: dict[str, int] = {}
        for item in self.products:
            quantities[item.product_id] = quantities.get(item.product_id, 0) + item.quantity
        return quantities


class StatusChange(RequestModel):
    model_config = ConfigDict(
        json_schema_extra={
            "if": {"properties": {"refund": {"const": True}}, "required": ["refund"]},
            "then": {"properties": {"status": {"const": "canceled"}}},
        }
    )

    status: OrderStatus
    refund: Annotated[bool, Field(description="With `canceled`: request a refund of everything that was paid.")] = False

    @model_validator(mode="after")
    def _refund_of_cancellation(self) -> Self:
        if self.refund and self.status != "canceled":
            detail = "A refund can be requested only with the status canceled"
            raise InvalidRequest(detail, errors=[{"detail": detail, "pointer": "#/refund"}])
        return self


class NewNote(RequestModel):
    text: Annotated[
        Note, NotBlank, Field(description="It can have several lines. It cannot be changed or deleted later.")
    ]


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
    number: Annotated[
        Annotated[QueryInteger, PositiveInteger] | None,
        Field(description="List only the order with this number. Leading zeros do not matter."),
    ] = None
    reference: Annotated[Code | None, Field(description="List only the order with this reference. Case matters.")] = (
        None
    )
    email: Annotated[
        EmailAddress | None,
        Field(
            description="List only orders with this email. Case does not matter. In a URL, write `+` as `%2B`, because "
            "`+` means a space there."
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
