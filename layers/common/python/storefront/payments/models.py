"""What the payment webhook takes."""

from typing import Annotated, Literal

from pydantic import ConfigDict, StringConstraints

from storefront.fields import Id, RequestModel, WithoutNul


class PaymentEvent(RequestModel):
    """A processor's word on an order's payment. Processors add fields as they grow; those are let through."""

    model_config = ConfigDict(extra="ignore")

    order_id: Id
    payment_status: Literal["paid", "failed"]
    event_id: Annotated[str, StringConstraints(min_length=1, max_length=255), WithoutNul] | None = None
