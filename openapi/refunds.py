"""The refunds: response models, example requests and routes."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from openapi.operation import KEY, REPLAYED, Example, Operation
from openapi.responses import (
    MOMENT,
    ORDER_TO_REFUND_ID,
    PAYMENT_EVENT_ID,
    REFUND_ID,
    CursorPage,
    Page,
    PaidMoney,
    ResponseModel,
)
from storefront import errors
from storefront.lists.parameters import CursorParameters
from storefront.refunds.models import NewRefund, RefundListParameters, RefundStatus, RefundStatusChange
from storefront.refunds.store import (
    OrderItemNotFound,
    PaymentNotFound,
    ProcessorReferenceTaken,
    RefundConflict,
    RefundNotFound,
    RefundTooLarge,
    SeveralPayments,
    TooManyUnits,
)


class RefundedLine(ResponseModel):
    order_item_id: UUID = Field(examples=["9a0f5f0e-26a8-4c9e-8f57-bd1f6c1f0a77"])
    quantity: int = Field(examples=[1])
    restock: bool = Field(description="Whether the units returned to the stock.", examples=[True])


class Refund(ResponseModel):
    """Money that goes back to a customer."""

    id: UUID = Field(examples=[REFUND_ID])
    order_id: UUID = Field(examples=[ORDER_TO_REFUND_ID])
    payment_id: UUID = Field(examples=[PAYMENT_EVENT_ID])
    payment_reference: str | None = Field(
        description="As `reference` of the payment. The processor needs it.", examples=["pi_1Example"]
    )
    amount: PaidMoney = Field(examples=["3.00"])
    currency: str = Field(examples=["USD"])
    status: RefundStatus = Field(examples=["requested"])
    lines: list[RefundedLine]
    reason: str | None = Field(description="Why, in the words of staff.", examples=["A cup was broken."])
    processor_reference: str | None = Field(
        description="The processor's ID of the refund. null if unknown.", examples=["re_1Example"]
    )
    requested_by: str = Field(
        description="Who requested it: the `sub` claim of a token, or `payment-processor` if it was made there.",
        examples=["anonymous"],
    )
    requested_at: datetime = Field(examples=[MOMENT])
    updated_at: datetime = Field(examples=[MOMENT])


class OrderRefundPage(CursorPage):
    items: list[Refund]


class RefundPage(Page):
    items: list[Refund]


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/api/orders/{id}/refunds"): Operation(
        "request_refund",
        "refunds",
        "Request a refund of a payment",
        Refund,
        201,
        description=(
            "Nothing is refunded yet: the shop's server or a person makes the refund at the processor. The amount is"
            " `amount`, otherwise the sum of `lines` (price × quantity, without charges), otherwise everything that is"
            " left of the payment. Lines with `restock` return their units to the stock at once. All refunds of a"
            " payment that are requested, pending or succeeded never add up to more than the payment."
        ),
        path_id=ORDER_TO_REFUND_ID,
        body=NewRefund,
        examples={"request-refund": Example({"amount": "5.00", "reason": "A cup was broken."})},
        request_headers=("If-Match", *KEY),
        response_headers=REPLAYED,
        problems=(
            errors.OrderNotFound,
            PaymentNotFound,
            OrderItemNotFound,
            errors.PaymentDisputed,
            RefundTooLarge,
            SeveralPayments,
            TooManyUnits,
            errors.NumberOutOfRange,
        ),
    ),
    ("GET", "/api/orders/{id}/refunds"): Operation(
        "list_order_refunds",
        "refunds",
        "List the refunds of an order, oldest first",
        OrderRefundPage,
        path_id=ORDER_TO_REFUND_ID,
        parameters=CursorParameters,
        response_headers=("Link",),
        problems=(errors.OrderNotFound,),
    ),
    ("GET", "/api/refunds"): Operation(
        "list_refunds",
        "refunds",
        "List the refunds of all orders, oldest first",
        RefundPage,
        description=(
            "With `status=requested`, it is the queue for whoever makes the refunds at the processor. After an"
            " interruption, continue with `status=pending`. Skip refunds that have a `processor_reference`: the"
            " processor has them already."
        ),
        parameters=RefundListParameters,
        examples={"list-refunds": Example(query={"status": "requested"})},
        response_headers=("Link",),
    ),
    ("PUT", "/api/refunds/{id}/status"): Operation(
        "set_refund_status",
        "refunds",
        "Set the status of a refund",
        Refund,
        description=(
            "`pending` claims a requested refund before the processor is called. Only one caller gets it: a second"
            " claim is refused, even by the same caller. `succeeded` and `failed` report the result, and `canceled`"
            " withdraws the refund. Units that returned to the stock stay there. An event of the processor sets the"
            " status, too. If the response was lost, read the refund. `succeeded`, `failed` and `canceled` can be sent"
            " again. `pending` cannot."
        ),
        path_id=REFUND_ID,
        body=RefundStatusChange,
        examples={"set-refund-status": Example({"status": "pending"})},
        problems=(RefundNotFound, RefundConflict, ProcessorReferenceTaken, errors.PaymentDisputed),
    ),
}
