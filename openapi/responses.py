"""Response models that several features share. PostgreSQL makes most responses, as in order_json.sql."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

Money = Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]{2}$"), Field(examples=["14.50"])]
"""An amount in the shop's currency, with two decimal places."""

PaidMoney = Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]{2,}$"), Field(examples=["29.00"])]
"""An amount that a processor reported, with at least two decimal places."""

PRODUCT_ID = "a0000000-0000-4000-8000-000000000001"
ORDER_ID = "b0000000-0000-4000-8000-000000000001"
ORDER_TO_REFUND_ID = "b0000000-0000-4000-8000-000000000003"
PAYMENT_EVENT_ID = "c0000000-0000-4000-8000-000000000001"
REFUND_ID = "d0000000-0000-4000-8000-000000000001"
MOMENT = "2026-11-23T12:00:00.000000Z"


def _optional(**options: Any) -> Any:
    """Return a field that a response can omit, and that is never null."""
    return Field(default=None, **options)


class ResponseModel(BaseModel):
    """A JSON object in a response. New versions may add fields."""


class CursorPage(ResponseModel):
    """A page of a list that has no page numbers."""

    page_size: int = Field(examples=[20])
    next_cursor: str | None = Field(description="The cursor of the next page. null on the last page.")


class Page(CursorPage):
    """A page of a list. With `cursor` in the request, it has no `total`, `page` and `total_pages`."""

    total: int = _optional(examples=[7])
    page: int = _optional(examples=[1])
    total_pages: int = _optional(examples=[1])
    total_is_estimate: bool = _optional(
        description="`true` if `total` is an estimate, as it is above 100,000, or above 1,000 with `q`."
    )


class BrokenRule(ResponseModel):
    """A broken rule and its place in the request. If a product is short of stock, also its quantities."""

    detail: str
    pointer: str = _optional(description="The place in the body: a JSON Pointer (RFC 6901) as a URI fragment.")
    parameter: str = _optional(description="The name of the path or query parameter.")
    header: str = _optional(description="The name of the header.")
    product_id: UUID = _optional()
    product_name: str = _optional()
    requested: int = _optional()
    available: int = _optional()


class Problem(ResponseModel):
    """A problem (RFC 9457). Programs should use `type`, which does not change. `detail` is for people."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: int
    detail: str
    errors: list[BrokenRule] = _optional()
    total_price: Money = _optional(description="The current total of the order. Only in `total-changed`.")
    order_id: UUID = _optional(description="The order with the reference. Only in `reference-taken`.")
    amount_left: PaidMoney = _optional(description="What is left of the payment. Only in `refund-too-large`.")
    refund_status: Literal["requested", "pending", "canceled", "succeeded", "failed"] = _optional(
        description="The current status of the refund. Only in `refund-conflict`."
    )
    limit: Literal[
        "order_lines", "order_units", "customer_orders", "customer_units", "daily_orders", "concurrent_orders"
    ] = _optional(description="The limit that the order exceeds. Only in `order-limit` and `customer-limit`.")
    maximum: int = _optional(description="The value of that limit.")
    held: int = _optional(description="What the customer has on order. Only in `customer-limit`.")
    requested: int = _optional(description="What the order would add. Only in `order-limit` and `customer-limit`.")
    payments: list[Any] = _optional(description="The payments with money left. Only in `several-payments`.")


class Message(ResponseModel):
    """An error from API Gateway itself. It refused the request, or the function crashed or took too long."""

    message: str = Field(examples=["Unauthorized"])
