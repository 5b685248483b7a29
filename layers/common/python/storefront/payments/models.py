"""What the payment webhook takes."""

from typing import Literal

from pydantic import ConfigDict, Field

from storefront.fields import Id, RequestModel, Text


class PaymentEvent(RequestModel):
    """A processor's word on an order's payment. Processors add fields as they grow; those are let through."""

    model_config = ConfigDict(extra="ignore")

    order_id: Id
    payment_status: Literal["paid", "failed"]
    event_id: Text | None = Field(default=None, min_length=1, max_length=255)
