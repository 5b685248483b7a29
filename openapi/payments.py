"""The payments: response models, example requests and routes."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from openapi.operation import Example, Operation
from openapi.payment_bodies import PaymentEventBody
from openapi.responses import (
    MOMENT,
    ORDER_ID,
    ORDER_TO_REFUND_ID,
    PAYMENT_EVENT_ID,
    CursorPage,
    Page,
    PaidMoney,
    ResponseModel,
)
from storefront import errors
from storefront.lists.parameters import CursorParameters
from storefront.orders.models import PaymentStatus
from storefront.payments.models import (
    DisputeStatus,
    Outcome,
    PaymentEventListParameters,
    ReportedStatus,
)
from storefront.payments.signatures import Scheme, Unauthenticated
from storefront.payments.store import PaymentEventNotFound, UnreadablePaymentEvent
from storefront.refunds.models import RefundStatus


class PaymentEventResponse(ResponseModel):
    """The effect of a payment event."""

    message: str = Field(examples=["Payment status updated successfully"])
    order_id: UUID | None = Field(examples=[ORDER_ID])
    payment_status: PaymentStatus | None = Field(
        description="The current payment status of the order.", examples=["paid"]
    )
    event_id: str = Field(examples=["evt_0001"])
    outcome: Outcome


class PaymentEvent(ResponseModel):
    """A payment event in the inbox."""

    id: UUID = Field(examples=[PAYMENT_EVENT_ID])
    event_id: str = Field(examples=["evt_sample"])
    scheme: Scheme
    provider: str = Field(examples=["storefront"])
    type: str | None = Field(examples=["payment_intent.succeeded"])
    order_id: UUID | None = Field(examples=[ORDER_ID])
    payment_status: ReportedStatus | None
    amount: str | None = Field(
        description="The amount that was sent, in the main unit of the currency, with at least two decimal places.",
        examples=["23.00"],
    )
    currency: str | None = Field(examples=["USD"])
    occurred_at: datetime | None = Field(examples=[MOMENT])
    livemode: bool | None = Field(description="Whether real money moved, as sent. Null if unknown.", examples=[True])
    account: str | None = Field(
        description="The account at the processor, as sent. Null if unknown.", examples=["acct_1Example"]
    )
    payment_reference: str | None = Field(
        description="The processor's ID of the payment. Null if unknown.", examples=["pi_1Example"]
    )
    object_reference: str | None = Field(
        description="The processor's ID of what the event is about, such as a session, a payment or a refund. Null if "
        "unknown, and in formats other than Stripe's.",
        examples=["pi_1Example"],
    )
    refund_id: UUID | None = Field(description="The refund that the event is about.", examples=[None])
    refund_status: RefundStatus | None = Field(description="What the event reports about a refund.", examples=[None])
    dispute_status: DisputeStatus | None = Field(description="What the event reports about a dispute.", examples=[None])
    outcome: Outcome
    reason: str | None = Field(description="Why the event was not applied.", examples=["amount_differs"])
    error: str | None = Field(
        description="Why the event could not be read. Null except for `unreadable`.", examples=[None]
    )
    message: str = Field(
        description="What happened, for staff.", examples=["Money arrived, but not the total of the order."]
    )
    action: str | None = Field(
        description="What staff should do now. Null if nothing is left to do.",
        examples=["Settle the difference with the customer."],
    )
    attempts: int = Field(description="The number of deliveries and replays.", examples=[1])
    received_at: datetime = Field(examples=[MOMENT])
    last_attempt_at: datetime = Field(examples=[MOMENT])


class Dispute(ResponseModel):
    id: UUID
    reference: str | None = Field(description="The processor's ID of the dispute.", examples=["dp_1Example"])
    status: DisputeStatus = Field(examples=["open"])
    amount: PaidMoney | None = Field(description="Null if unknown: then the whole payment.")
    currency: str | None
    opened_at: datetime = Field(examples=[MOMENT])
    changed_at: datetime = Field(description="The processor's time of the newest event.", examples=[MOMENT])


class Payment(ResponseModel):
    """Money that a processor reported as received."""

    id: UUID = Field(examples=[PAYMENT_EVENT_ID])
    order_id: UUID = Field(examples=[ORDER_TO_REFUND_ID])
    reference: str | None = Field(
        description="The processor's ID of the payment, or the ID of its event. null if the event had neither.",
        examples=["pi_1Example"],
    )
    amount: PaidMoney = Field(examples=["23.00"])
    currency: str = Field(examples=["USD"])
    refunded_amount: PaidMoney = Field(description="The sum of the refunds that succeeded.", examples=["0.00"])
    amount_left: PaidMoney = Field(
        description="What neither went back nor is requested: the largest refund that can be requested.",
        examples=["20.00"],
    )
    reason: str | None = Field(
        description="Why the payment does not simply pay the order. null if it does.", examples=["amount_differs"]
    )
    disputes: list[Dispute]
    received_at: datetime = Field(examples=[MOMENT])


class PaymentPage(CursorPage):
    items: list[Payment]


class PaymentEventPage(Page):
    items: list[PaymentEvent]


_WEBHOOK = f"""\
The payment processor calls this route. Each event takes effect once, even if it is delivered several times. `outcome`
says what it did. If the order does not exist, the response is 404, and the processor should deliver the event again
later.

To act as the processor while `make run` runs, paste one of these into a terminal in the project's folder. `make pay`
signs the event and sends it. Add `SCENARIO=duplicated` or `SCENARIO=tampered` to send duplicates or a forgery:

```sh
make pay ORDER={ORDER_ID}
```

Or sign the event with `openssl` and the default secret of `make run`:

```sh
BODY='{{"order_id": "{ORDER_ID}", "payment_status": "paid", "event_id": "evt_1"}}'
SIGNATURE=$(printf %s "$BODY" | openssl dgst -sha256 -hmac local-only-not-a-secret | sed 's/.* //')
curl http://127.0.0.1:3000/api/payment-webhook -H 'Content-Type: application/json' \\
  -H "X-Signature: $SIGNATURE" -d "$BODY"
```

To send an event from the documentation page, select Authorize and enter the signature of exactly that body.
"""

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/api/payment-webhook"): Operation(
        "receive_payment_event",
        "payments",
        "Receive a signed payment event",
        PaymentEventResponse,
        description=_WEBHOOK,
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
        "List received payment events, newest first",
        PaymentEventPage,
        parameters=PaymentEventListParameters,
        examples={"list-payment-events": Example(query={"outcome": "needs_review"})},
        response_headers=("Link",),
    ),
    ("POST", "/api/payment-events/{id}/replay"): Operation(
        "replay_payment_event",
        "payments",
        "Replay a stored payment event",
        PaymentEventResponse,
        path_id=PAYMENT_EVENT_ID,
        problems=(PaymentEventNotFound, UnreadablePaymentEvent, errors.OrderNotFound),
    ),
    ("GET", "/api/orders/{id}/payments"): Operation(
        "list_payments",
        "payments",
        "List the payments of an order, oldest first",
        PaymentPage,
        path_id=ORDER_TO_REFUND_ID,
        parameters=CursorParameters,
        response_headers=("Link",),
        problems=(errors.OrderNotFound,),
    ),
}
