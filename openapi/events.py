"""The bodies that the payment webhook takes, as payments/providers.py reads them."""

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, RootModel

from openapi.responses import ORDER_ID
from storefront.fields import Id, Timestamp
from storefront.payments.models import EventId, ReportedStatus
from storefront.payments.providers import ENVELOPE_TYPES, STRIPE_TYPES, Amount, Currency, StripeData


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
