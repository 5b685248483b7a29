"""A payment event, whichever processor sent it, and the requests of the payment routes."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Literal, NamedTuple

from pydantic import Field, StringConstraints

from storefront.fields import Id
from storefront.lists.parameters import PageParameters
from storefront.texts import WithoutNul

ReportedStatus = Literal["paid", "failed"]
ReportedRefundStatus = Literal["pending", "canceled", "succeeded", "failed"]
DisputeStatus = Literal["open", "won", "lost"]

EventId = Annotated[str, StringConstraints(min_length=1, max_length=255), WithoutNul]
"""An event's ID from the processor."""

Outcome = Literal["applied", "duplicate", "ignored", "needs_refund", "needs_review", "unknown_order", "unreadable"]


class PaymentEvent(NamedTuple):
    """A payment event in the same form for all processors. A field is None if the event does not contain it.

    An event about a payment, a refund or a dispute has one of the three statuses. reason says why an event has none, or
    why it cannot be applied.
    refund_id: the ID of Storefront's own refund, which the shop sent to the processor.
    amount: in the currency's main unit. currency: in capitals.
    livemode: whether it is real money. account: which of the processor's accounts received it.
    payment_reference: the processor's ID of the payment, which has several events.
    object_reference: the processor's ID of the object that the event is about: a payment, a refund or a dispute.
    error: why the effect of the event cannot be read. The event is stored, and never applied.
    """

    provider: str
    type: str | None = None
    event_id: str | None = None
    order_id: str | None = None
    payment_status: ReportedStatus | None = None
    refund_id: str | None = None
    refund_status: ReportedRefundStatus | None = None
    dispute_status: DisputeStatus | None = None
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
