"""What the routes answer with, as order_json.sql and its like make it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from storefront.orders.models import OrderStatus, PaymentStatus
from storefront.payments.models import Outcome, ReconciliationKind, ReportedStatus
from storefront.payments.signatures import Scheme

Money = Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]{2}$"), Field(examples=["14.50"])]
"""An amount in the shop's currency, with two places."""

PRODUCT_ID = "a0000000-0000-4000-8000-000000000001"
ORDER_ID = "b0000000-0000-4000-8000-000000000001"
PAYMENT_EVENT_ID = "c0000000-0000-4000-8000-000000000001"
MOMENT = "2026-11-23T12:00:00.000000Z"


def _optional(**options: Any) -> Any:
    """A field that may be left out, and is never null."""
    return Field(default=None, **options)


class ResponseModel(BaseModel):
    """A JSON object that is answered. Fields may be added."""


class Product(ResponseModel):
    id: UUID = Field(examples=[PRODUCT_ID])
    name: str = Field(examples=["Enamel Mug"])
    description: str | None = Field(examples=["White, holds 350 ml."])
    price: Money
    quantity: int = Field(description="The stock on hand.", examples=[120])
    created_at: datetime = Field(examples=[MOMENT])
    updated_at: datetime = Field(examples=[MOMENT])


class StockMovement(ResponseModel):
    """A change of a product's stock, and the stock after it."""

    product_id: UUID = Field(examples=[PRODUCT_ID])
    kind: Literal["adjustment"]
    delta: int = Field(examples=[-3])
    reason: str = Field(examples=["broken in the store room"])
    actor: str = Field(description="The `sub` of the token, or `anonymous`.", examples=["anonymous"])
    request_id: str | None = Field(examples=["c4b7de0a-9d4e-4a7e-8a52-5a1f7f0c2b93"])
    occurred_at: datetime = Field(examples=[MOMENT])
    quantity: int = Field(description="The stock on hand after it.", examples=[117])


class OrderItem(ResponseModel):
    """A line of an order: name and price are as they were when it was placed."""

    id: UUID = Field(examples=["9a0f5f0e-26a8-4c9e-8f57-bd1f6c1f0a77"])
    product_id: UUID = Field(examples=[PRODUCT_ID])
    product_name: str = Field(examples=["Enamel Mug"])
    quantity: int = Field(examples=[2])
    price_at_purchase: Money


class OrderSummary(ResponseModel):
    """An order without its lines."""

    id: UUID = Field(examples=[ORDER_ID])
    customer_id: int = Field(examples=[12345])
    status: OrderStatus = Field(examples=["pending"])
    payment_status: PaymentStatus = Field(examples=["unpaid"])
    total_price: Money = Field(examples=["29.00"])
    created_at: datetime = Field(examples=[MOMENT])


class Order(OrderSummary):
    order_items: list[OrderItem]
    updated_at: datetime = Field(examples=[MOMENT])


class OrderState(ResponseModel):
    status: OrderStatus = Field(examples=["pending"])
    payment_status: PaymentStatus = Field(examples=["unpaid"])


class OrderEvent(ResponseModel):
    """A line of an order's timeline: what changed, who or what did it, and what a payment event said."""

    model_config = ConfigDict(populate_by_name=True)

    occurred_at: datetime = Field(examples=[MOMENT])
    cause: Literal["placed", "status_change", "payment_event", "replay", "expiry", "import"]
    actor: str = Field(examples=["payment-processor"])
    from_: OrderState | None = Field(alias="from")
    to: OrderState
    request_id: str | None
    idempotency_key: str | None
    payment_event_id: str | None = Field(description="The event's `event_id`.")
    inbox_id: UUID | None = Field(description="The `id` of the payment event.")
    received_payment_status: ReportedStatus | None
    outcome: Outcome | None
    reason: str | None


class PaymentEventResponse(ResponseModel):
    """What came of a payment event."""

    message: str = Field(examples=["Payment status updated successfully"])
    order_id: UUID | None = Field(examples=[ORDER_ID])
    payment_status: PaymentStatus | None = Field(description="The order's, as it now stands.", examples=["paid"])
    event_id: str = Field(examples=["evt_0001"])
    outcome: Outcome


class PaymentEvent(ResponseModel):
    """A payment event of the inbox."""

    id: UUID = Field(examples=[PAYMENT_EVENT_ID])
    event_id: str = Field(examples=["evt_sample"])
    scheme: Scheme
    provider: str = Field(examples=["storefront"])
    type: str | None = Field(examples=["payment_intent.succeeded"])
    order_id: UUID | None = Field(examples=[ORDER_ID])
    payment_status: ReportedStatus | None
    amount: str | None = Field(description="To the last digit that was sent.", examples=["23.00"])
    currency: str | None = Field(examples=["USD"])
    occurred_at: datetime | None = Field(examples=[MOMENT])
    outcome: Outcome
    reason: str | None = Field(description="Why it was not applied.", examples=["amount_differs"])
    attempts: int = Field(description="Deliveries and replays.", examples=[1])
    received_at: datetime = Field(examples=[MOMENT])
    last_attempt_at: datetime = Field(examples=[MOMENT])


class ReconciliationEntry(ResponseModel):
    """What does not add up, with its order and the payment event that it was seen in."""

    kind: ReconciliationKind
    since: datetime = Field(examples=[MOMENT])
    order: OrderSummary | None
    payment_event: PaymentEvent | None


class CursorPage(ResponseModel):
    """A page of a list that goes on by cursor alone."""

    page_size: int = Field(examples=[20])
    next_cursor: str | None = Field(description="Leads to the next page; null where there is none.")


class Page(CursorPage):
    """A page of a list. One that a cursor led to has no `total`, `page` and `total_pages`."""

    total: int = _optional(examples=[7])
    page: int = _optional(examples=[1])
    total_pages: int = _optional(examples=[1])
    total_is_estimate: bool = _optional(description="Sent, as true, past 100,000.")


class ProductPage(Page):
    items: list[Product]


class OrderPage(Page):
    items: list[Order]


class OrderEventPage(CursorPage):
    items: list[OrderEvent]


class PaymentEventPage(Page):
    items: list[PaymentEvent]


class ReconciliationPage(Page):
    items: list[ReconciliationEntry]


class Description(ResponseModel):
    """A description of the API in OpenAPI."""

    model_config = ConfigDict(extra="allow")

    openapi: str = Field(examples=["3.1.1"])
    info: dict[str, Any]
    paths: dict[str, Any]


class BrokenRule(ResponseModel):
    """What is wrong in one place of the request, and for a line that is short of stock, of what."""

    detail: str
    pointer: str = _optional(description="Into the body (RFC 6901), as a URI fragment.")
    parameter: str = _optional(description="The name of a parameter of the path or the query.")
    header: str = _optional(description="The name of a header.")
    product_id: UUID = _optional()
    product_name: str = _optional()
    requested: int = _optional()
    available: int = _optional()


class Problem(ResponseModel):
    """What went wrong (RFC 9457). `type` is stable and tells problems apart; `detail` is for people."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: int
    detail: str
    errors: list[BrokenRule] = _optional()


class Message(ResponseModel):
    """What API Gateway answers itself, before a function is asked."""

    message: str = Field(examples=["Unauthorized"])
