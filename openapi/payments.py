"""The payments: webhook bodies, response models, example requests and routes."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel

from openapi.operation import Example, Operation
from openapi.orders import OrderSummary
from openapi.responses import MOMENT, ORDER_ID, PAYMENT_EVENT_ID, Page, ResponseModel
from storefront import errors
from storefront.fields import Id, Timestamp
from storefront.orders.models import PaymentStatus
from storefront.payments.models import (
    EventId,
    Outcome,
    PaymentEventListParameters,
    ReconciliationKind,
    ReconciliationParameters,
    ReportedStatus,
)
from storefront.payments.providers import ENVELOPE_TYPES, STRIPE_TYPES, Amount, Currency, StripeData
from storefront.payments.signatures import Scheme, Unauthenticated
from storefront.payments.store import PaymentEventNotFound


class _Sent(BaseModel):
    """Unknown fields are let through."""

    model_config = ConfigDict(extra="allow")


class PaymentDetails(_Sent):
    """What is known of a payment, and of which order."""

    order_id: Id
    event_id: EventId | None = None
    amount: Amount | None = None
    currency: Currency | None = None
    occurred_at: Timestamp | None = None


class OwnPaymentEvent(PaymentDetails):
    """The shop's own format, in any scheme."""

    payment_status: ReportedStatus


class StandardWebhooksEvent(_Sent):
    """An event in the envelope of Standard Webhooks. One of another type is acknowledged and ignored."""

    type: Annotated[str, Field(json_schema_extra={"enum": list(ENVELOPE_TYPES)})]
    timestamp: Annotated[Any, Field(description="When it happened, in RFC 3339. What is no time is passed over.")] = (
        None
    )
    data: PaymentDetails


class StripeEvent(_Sent):
    """An event of Stripe's, the order named by `metadata.order_id`. One of another type is acknowledged and ignored."""

    id: EventId
    type: Annotated[str, Field(json_schema_extra={"enum": list(STRIPE_TYPES)})]
    data: StripeData


class PaymentEventBody(RootModel[OwnPaymentEvent | StandardWebhooksEvent | StripeEvent]):
    """A payment event, in the format that goes with its signature."""

    EXAMPLES: ClassVar[dict[str, Any]] = {
        "standard-webhooks": {
            "type": "payment.paid",
            "timestamp": "2026-11-23T12:00:00Z",
            "data": {"order_id": ORDER_ID, "amount": "29.00", "currency": "USD"},
        },
        "stripe": {
            "id": "evt_1Example",
            "object": "event",
            "type": "payment_intent.succeeded",
            "created": 1795435200,
            "data": {
                "object": {
                    "id": "pi_1Example",
                    "object": "payment_intent",
                    "amount": 2900,
                    "amount_received": 2900,
                    "currency": "usd",
                    "metadata": {"order_id": ORDER_ID},
                }
            },
        },
    }


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


class PaymentEventPage(Page):
    items: list[PaymentEvent]


class ReconciliationPage(Page):
    items: list[ReconciliationEntry]


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/api/payment-webhook"): Operation(
        "receive_payment_event",
        "payments",
        "Takes a payment event, signed by the payment processor",
        PaymentEventResponse,
        description=(
            "Each event has its effect once, however often it is sent. What it did is its `outcome`. An order that is"
            " not there is 404, so that the processor sends the event again."
        ),
        body=PaymentEventBody,
        examples={
            "payment-failed": Example(
                {
                    "order_id": "b0000000-0000-4000-8000-000000000003",
                    "payment_status": "failed",
                    "event_id": "evt_0002",
                }
            ),
            "payment-paid": Example({"order_id": ORDER_ID, "payment_status": "paid", "event_id": "evt_0001"}),
        },
        problems=(errors.OrderNotFound, Unauthenticated),
    ),
    ("GET", "/api/payment-events"): Operation(
        "list_payment_events",
        "payments",
        "Lists the payment events that came, newest first",
        PaymentEventPage,
        parameters=PaymentEventListParameters,
        examples={"list-payment-events": Example(query={"outcome": "needs_review"})},
        response_headers=("Link",),
    ),
    ("POST", "/api/payment-events/{id}/replay"): Operation(
        "replay_payment_event",
        "payments",
        "Runs a stored event through again",
        PaymentEventResponse,
        path_id=PAYMENT_EVENT_ID,
        problems=(PaymentEventNotFound, errors.OrderNotFound),
    ),
    ("GET", "/api/reconciliation"): Operation(
        "reconcile",
        "payments",
        "Lists what does not add up, oldest first",
        ReconciliationPage,
        description="Money without goods, and goods without money.",
        parameters=ReconciliationParameters,
        examples={"reconcile": Example(query={"kind": "amount_mismatch"})},
        response_headers=("Link",),
    ),
}
