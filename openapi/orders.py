"""The orders: response models, example requests and routes."""

from datetime import datetime
from typing import Literal
from uuid import UUID

from pydantic import ConfigDict, Field

from openapi.operation import KEY, REPLAYED, Example, Operation
from openapi.responses import MOMENT, ORDER_ID, PRODUCT_ID, CursorPage, Money, Page, PaidMoney, ResponseModel
from storefront import errors
from storefront.lists.parameters import CursorParameters
from storefront.orders.charges import ChargeKind
from storefront.orders.models import NewNote, NewOrder, OrderListParameters, OrderStatus, PaymentStatus, StatusChange
from storefront.orders.store import (
    CustomerLimit,
    InvalidTransition,
    NotCancelable,
    OrderLimit,
    ProductBusy,
    ReferenceTaken,
    TotalChanged,
    TotalTooLarge,
    TotalTooSmall,
)
from storefront.payments.models import Outcome, ReportedStatus
from storefront.refunds.models import OrderRefundStatus, RefundStatus


class OrderItem(ResponseModel):
    """A line item. The name and the price are those at the time of the order."""

    id: UUID = Field(examples=["9a0f5f0e-26a8-4c9e-8f57-bd1f6c1f0a77"])
    product_id: UUID = Field(examples=[PRODUCT_ID])
    sku: str | None = Field(description="The SKU of the product at the time of the order.")
    product_name: str = Field(examples=["Enamel Mug"])
    quantity: int = Field(examples=[2])
    price_at_purchase: Money


class OrderCharge(ResponseModel):
    kind: ChargeKind = Field(examples=["shipping"])
    label: str = Field(examples=["Parcel to Germany"])
    amount: str = Field(pattern=r"^-?[0-9]+\.[0-9]{2}$", examples=["4.90"])


class OrderAddress(ResponseModel):
    name: str | None = Field(examples=["Ada Example"])
    company: str | None
    line1: str | None = Field(examples=["1 Example Street"])
    line2: str | None
    city: str | None = Field(examples=["Berlin"])
    region: str | None
    postal_code: str | None = Field(examples=["10115"])
    country: str = Field(examples=["DE"])
    phone: str | None


class OrderSummary(ResponseModel):
    """An order without its line items."""

    id: UUID = Field(examples=[ORDER_ID])
    customer_id: int = Field(examples=[12345])
    status: OrderStatus = Field(examples=["pending"])
    payment_status: PaymentStatus = Field(examples=["unpaid"])
    total_price: Money = Field(examples=["29.00"])
    number: int = Field(description="The number for people. It is unique, and gives no access.", examples=[1001])
    currency: str = Field(examples=["USD"])
    paid_amount: PaidMoney = Field(
        description="The sum of the payments in the currency of the order.", examples=["29.00"]
    )
    refunded_amount: PaidMoney = Field(
        description="The sum of the refunds that succeeded, in the order's currency.", examples=["0.00"]
    )
    refund_status: OrderRefundStatus = Field(
        description="`pending` while a refund is requested or pending. Otherwise, how much of the payments was"
        " refunded. Lost disputes do not count. The list of the order's payments shows them.",
        examples=["none"],
    )
    created_at: datetime = Field(examples=[MOMENT])


class Order(OrderSummary):
    reference: str | None = Field(description="The shop's own number of the order.")
    subtotal: Money = Field(description="The sum of the line items.", examples=["29.00"])
    charges: list[OrderCharge]
    order_items: list[OrderItem]
    email: str | None
    shipping_address: OrderAddress | None
    billing_address: OrderAddress | None
    note: str | None = Field(description="The customer's own note.")
    metadata: dict[str, str]
    expires_at: datetime | None = Field(
        description="When the order is canceled, unless it is paid. null if it never is.", examples=[MOMENT]
    )
    updated_at: datetime = Field(examples=[MOMENT])


class OrderState(ResponseModel):
    status: OrderStatus = Field(examples=["pending"])
    payment_status: PaymentStatus = Field(examples=["unpaid"])


class OrderEvent(ResponseModel):
    """An entry in the timeline of an order."""

    model_config = ConfigDict(populate_by_name=True)

    occurred_at: datetime = Field(examples=[MOMENT])
    cause: Literal[
        "placed",
        "status_change",
        "payment_event",
        "replay",
        "expiry",
        "note",
        "erasure",
        "refund",
        "acknowledgement",
    ]
    actor: str = Field(
        description="Who acted: the `sub` claim of a token, or the part of the system. Customers see only the party:"
        " `customer`, `shop` or `payment processor`.",
        examples=["payment-processor"],
    )
    from_: OrderState | None = Field(alias="from")
    to: OrderState
    request_id: str | None = Field(description="The ID of the request in the log. null for customers.")
    idempotency_key: str | None = Field(description="The key of the request. null for customers.")
    payment_event_id: str | None = Field(
        description="The `event_id` of the payment event that caused the entry. null for customers."
    )
    inbox_id: UUID | None = Field(description="The `id` of that payment event in the inbox. null for customers.")
    received_payment_status: ReportedStatus | None = Field(description="The payment status that the event reported.")
    outcome: Outcome | None = Field(description="What the payment event did.")
    reason: str | None = Field(
        description="Why the payment event was not applied. Of an acknowledgement: the kind of the entry. Of a canceled"
        " request for a refund: `made_at_processor` if its refund was already made there."
    )
    refund_id: UUID | None = Field(description="The refund that the entry is about. null for customers.")
    refund_status: RefundStatus | None = Field(description="The status that the refund got, or that an event reported.")
    note: str | None = Field(
        description="The text of a note or of an acknowledgement. null for other entries, and after it was erased.",
        examples=[None],
    )
    message: str = Field(description="What happened.", examples=["The payment was recorded."])
    action: str | None = Field(
        description="What staff should do now. It can change with the order. null if nothing is left to do, and for"
        " customers."
    )


class Erasure(ResponseModel):
    """The number of the customer's orders, without personal data now."""

    customer_id: int = Field(examples=[12345])
    orders: int = Field(examples=[2])


class OrderPage(Page):
    items: list[Order]


class OrderEventPage(CursorPage):
    items: list[OrderEvent]


_ID = "$response.body#/id"

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/api/orders"): Operation(
        "place_order",
        "orders",
        "Place an order and reduce the stock of its products",
        Order,
        201,
        description=(
            "If one product is short of stock, nothing is ordered. Prices come from the products. Line items for the"
            " same product are added together. The total is their sum and the charges. An order with a total of 0 is"
            " paid at once. Customers have limits, which are reported first. Then come a taken reference, missing"
            " products, too little stock, and a total that is out of range or has changed."
        ),
        body=NewOrder,
        examples={
            "place-order": Example(
                {
                    "customer_id": 12345,
                    "products": [
                        {"product_id": PRODUCT_ID, "quantity": 2},
                        {"product_id": "a0000000-0000-4000-8000-000000000002", "quantity": 1},
                    ],
                    "charges": [
                        {"kind": "shipping", "label": "Parcel", "amount": "4.90"},
                        {"kind": "tax", "label": "VAT 19 %", "amount": "8.72"},
                    ],
                    "email": "ada@example.com",
                    "shipping_address": {
                        "name": "Ada Example",
                        "line1": "1 Example Street",
                        "postal_code": "10115",
                        "city": "Berlin",
                        "country": "DE",
                    },
                },
                headers={"idempotency-key": '"8e03978e-40d5-43e8-bc93-6894a57f9324"'},
            )
        },
        request_headers=KEY,
        response_headers=("Location", "ETag", *REPLAYED),
        problems=(
            errors.ProductNotFound,
            errors.InsufficientStock,
            TotalTooLarge,
            TotalTooSmall,
            TotalChanged,
            ReferenceTaken,
            OrderLimit,
            CustomerLimit,
            ProductBusy,
        ),
        links={
            "get_order": {"id": _ID},
            "list_order_events": {"id": _ID},
            "change_order_status": {"id": _ID, "body": {"status": "canceled"}},
            "receive_payment_event": {"body": {"order_id": _ID, "payment_status": "paid"}},
        },
    ),
    ("GET", "/api/orders"): Operation(
        "list_orders",
        "orders",
        "List orders, newest first",
        OrderPage,
        parameters=OrderListParameters,
        examples={"list-orders": Example(query={"status": "pending", "customer_id": "12345"})},
        response_headers=("Link",),
    ),
    ("GET", "/api/orders/{id}"): Operation(
        "get_order",
        "orders",
        "Get an order with its line items",
        Order,
        path_id=ORDER_ID,
        request_headers=("If-Match", "If-None-Match"),
        response_headers=("ETag",),
        problems=(errors.OrderNotFound,),
    ),
    ("PUT", "/api/orders/{id}/status"): Operation(
        "change_order_status",
        "orders",
        "Complete or cancel a pending order; canceling returns the stock",
        Order,
        description=(
            'A customer\'s token needs the scope `orders:write`, and can only cancel: `{"status": "canceled"}` for an'
            " order of its own that is not paid, and for which no payment is under way."
        ),
        path_id=ORDER_ID,
        body=StatusChange,
        examples={
            "cancel-order": Example({"status": "canceled"}, id="b0000000-0000-4000-8000-000000000002"),
            "complete-order": Example({"status": "completed"}),
        },
        request_headers=("If-Match",),
        response_headers=("ETag",),
        problems=(
            errors.OrderNotFound,
            InvalidTransition,
            NotCancelable,
            errors.NumberOutOfRange,
            errors.PaymentDisputed,
        ),
    ),
    ("GET", "/api/orders/{id}/events"): Operation(
        "list_order_events",
        "orders",
        "List the timeline of an order, oldest first",
        OrderEventPage,
        path_id=ORDER_ID,
        parameters=CursorParameters,
        response_headers=("Link",),
        problems=(errors.OrderNotFound,),
    ),
    ("POST", "/api/orders/{id}/notes"): Operation(
        "add_order_note",
        "orders",
        "Add a note of staff to the timeline of an order",
        OrderEvent,
        201,
        description=(
            "Customers do not see notes. A note cannot be changed or deleted. The erasure of the customer's personal"
            " data removes its text."
        ),
        path_id=ORDER_ID,
        body=NewNote,
        examples={"add-order-note": Example({"text": "The customer asked for delivery after 18:00."})},
        request_headers=KEY,
        response_headers=REPLAYED,
        problems=(errors.OrderNotFound,),
    ),
    ("DELETE", "/api/customers/{customer_id}/personal-data"): Operation(
        "erase_personal_data",
        "orders",
        "Erase the personal data of a customer",
        Erasure,
        description=(
            "Erases the email, addresses, notes and metadata of all orders of the customer, the text of notes of staff,"
            " stored responses to retries, and the bodies of payment events. The orders, their line items and amounts,"
            " and their timelines stay. A repetition is harmless. This cannot be undone. Open orders lose their"
            " shipping address too. To ship them first, list them with"
            " `GET /api/orders?customer_id=…&status=pending`."
        ),
        path_id="67890",
    ),
}
