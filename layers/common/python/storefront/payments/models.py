"""What a payment event says, whoever sent it, and what the routes about payment events take."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints

from storefront.fields import Id, QueryInteger, WithoutNul
from storefront.lists.parameters import PageParameters

ReportedStatus = Literal["paid", "failed"]

EventId = Annotated[str, StringConstraints(min_length=1, max_length=255), WithoutNul]
"""A processor's name for an event."""

Outcome = Literal["applied", "duplicate", "ignored", "needs_refund", "needs_review", "unknown_order"]

ReconciliationKind = Literal[
    "paid_and_canceled",
    "completed_and_unpaid",
    "paid_after_completion",
    "amount_mismatch",
    "conflicting_event",
    "event_without_order",
    "pending_too_long",
]


class PaymentEvent(NamedTuple):
    """A processor's word on an order's payment, in our own terms.

    An event that has nothing for us has no payment_status, and reason says why. event_id is None where the body has
    none; amount is in the currency's main unit, currency in capitals; None is what the processor did not say.
    """

    provider: str
    type: str | None = None
    event_id: str | None = None
    order_id: str | None = None
    payment_status: ReportedStatus | None = None
    amount: Decimal | None = None
    currency: str | None = None
    occurred_at: datetime | None = None
    reason: str | None = None


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
