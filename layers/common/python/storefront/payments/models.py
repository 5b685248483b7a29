"""A payment event, whichever processor sent it, and the requests of the payment routes."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints

from storefront.fields import Id, QueryInteger
from storefront.lists.parameters import PageParameters
from storefront.texts import WithoutNul

ReportedStatus = Literal["paid", "failed"]

EventId = Annotated[str, StringConstraints(min_length=1, max_length=255), WithoutNul]
"""An event's ID from the processor."""

Outcome = Literal["applied", "duplicate", "ignored", "needs_refund", "needs_review", "unknown_order", "unreadable"]

ReconciliationKind = Literal[
    "paid_and_canceled",
    "completed_and_unpaid",
    "paid_after_completion",
    "amount_mismatch",
    "conflicting_event",
    "event_without_order",
    "unreadable_event",
    "pending_too_long",
    "held_too_long",
]


class PaymentEvent(NamedTuple):
    """A payment event in the same form for all processors. A field is None if the event does not contain it.

    An event that does not report a payment has no payment_status. Then reason says why.
    amount: in the currency's main unit. currency: in capitals.
    livemode: whether it is real money. account: which of the processor's accounts received it.
    payment_reference: the processor's ID of the payment, which has several events.
    object_reference: the processor's ID of the object that the event is about, such as a payment or a refund.
    error: why the effect of the event cannot be read. The event is stored, and never applied.
    """

    provider: str
    type: str | None = None
    event_id: str | None = None
    order_id: str | None = None
    payment_status: ReportedStatus | None = None
    amount: Decimal | None = None
    currency: str | None = None
    occurred_at: datetime | None = None
    livemode: bool | None = None
    account: str | None = None
    payment_reference: str | None = None
    object_reference: str | None = None
    reason: str | None = None
    error: str | None = None


class PaymentEventListParameters(PageParameters):
    outcome: Annotated[Outcome | None, Field(description="List only payment events with this outcome.")] = None
    order_id: Annotated[Id | None, Field(description="List only payment events for this order.")] = None
    event_id: Annotated[EventId | None, Field(description="List only payment events with this `event_id`.")] = None


class ReconciliationParameters(PageParameters):
    kind: Annotated[ReconciliationKind | None, Field(description="List only entries of this kind.")] = None
    pending_minutes: Annotated[
        QueryInteger,
        Field(
            ge=0,
            le=9_999_999,
            description="The number of minutes after which a pending order is listed as `pending_too_long`.",
        ),
    ] = 1440
