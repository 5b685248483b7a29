"""The bodies that the payment webhook takes, as payments/providers.py reads them."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from storefront.fields import Id
from storefront.payments.models import EventId, ReportedStatus
from storefront.payments.providers import STRIPE_TYPES


class _Sent(BaseModel):
    """Unknown fields are let through."""

    model_config = ConfigDict(extra="allow")


class OwnPaymentEvent(_Sent):
    """The shop's own format, in any scheme."""

    order_id: Id
    payment_status: ReportedStatus
    event_id: EventId | None = None
    amount: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")] | None = None
    currency: Annotated[str, Field(pattern="^[A-Za-z]{3,10}$")] | None = None
    occurred_at: str | None = Field(default=None, json_schema_extra={"format": "date-time"})


class StandardWebhooksData(_Sent):
    order_id: Id
    amount: Annotated[str, Field(pattern=r"^[0-9]{1,12}(\.[0-9]{1,6})?$")] | None = None
    currency: Annotated[str, Field(pattern="^[A-Za-z]{3,10}$")] | None = None


class StandardWebhooksEvent(_Sent):
    """An event in the envelope of Standard Webhooks. One of another type is acknowledged and ignored."""

    type: Literal["payment.paid", "payment.failed"]
    data: StandardWebhooksData


class StripeEvent(_Sent):
    """An event of Stripe's, the order named by `metadata.order_id`. One of another type is acknowledged and ignored."""

    id: EventId
    type: Annotated[str, Field(examples=sorted(STRIPE_TYPES))]
    data: dict[str, Any]


class PaymentEventBody(RootModel[OwnPaymentEvent | StandardWebhooksEvent | StripeEvent]):
    """A payment event, in the format that goes with its signature."""
