"""The requests of the refund routes."""

from typing import Annotated, Literal

from pydantic import Field

from storefront.fields import Id, Integer, Money, PositiveInteger, RequestModel
from storefront.lists.parameters import PageParameters
from storefront.texts import NotBlank, Note, ShortText

RefundStatus = Literal["requested", "pending", "canceled", "succeeded", "failed"]

OrderRefundStatus = Literal["none", "pending", "partial", "full"]


class RefundLine(RequestModel):
    """Units of a line item that the refund is for."""

    order_item_id: Id
    quantity: Annotated[Integer, PositiveInteger, Field(description="The number of units.")]
    restock: Annotated[bool, Field(description="Whether the units return to the stock, with this request.")]


class NewRefund(RequestModel):
    """A refund of a payment. Without `amount` and `lines`, it is of everything that is left."""

    payment_id: Annotated[
        Id | None, Field(description="The payment. It is required if several payments have money left.")
    ] = None
    amount: Annotated[
        Money | None,
        Field(
            description="In the payment's currency. With `lines`, it replaces the sum of their prices, for example to"
            " add the shipping."
        ),
    ] = None
    lines: Annotated[
        list[RefundLine] | None,
        Field(min_length=1, max_length=200, description="The units that the refund is for."),
    ] = None
    reason: Annotated[Annotated[Note, NotBlank] | None, Field(description="Why, for staff.")] = None

    def units(self) -> list[dict[str, str | int | bool]]:
        """Return the lines. Those for the same line item and the same destination are added together."""
        quantities: dict[tuple[str, bool], int] = {}
        for line in self.lines or []:
            place = line.order_item_id, line.restock
            quantities[place] = quantities.get(place, 0) + line.quantity
        return [
            {"order_item_id": id_, "restock": restock, "quantity": quantity}
            for (id_, restock), quantity in quantities.items()
        ]


class RefundStatusChange(RequestModel):
    """`pending` claims the refund: only one caller gets it."""

    status: Literal["pending", "canceled", "succeeded", "failed"]
    processor_reference: Annotated[
        ShortText | None,
        Field(description="The processor's ID of the refund. Outer white space is removed."),
    ] = None
    expected_status: Annotated[
        RefundStatus | None,
        Field(description="The status that the caller saw. If the refund has another one now, nothing changes."),
    ] = None


class RefundListParameters(PageParameters):
    status: Annotated[RefundStatus | None, Field(description="List only refunds with this status.")] = None
