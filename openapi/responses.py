"""What the routes answer with, as order_json.sql and its like make it."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

Money = Annotated[str, StringConstraints(pattern=r"^[0-9]+\.[0-9]{2}$"), Field(examples=["14.50"])]
"""An amount in the shop's currency, with two places."""

PRODUCT_ID = "a0000000-0000-4000-8000-000000000001"
ORDER_ID = "b0000000-0000-4000-8000-000000000001"
PAYMENT_EVENT_ID = "c0000000-0000-4000-8000-000000000001"
MOMENT = "2026-11-23T12:00:00.000000Z"


def _optional(**options: Any) -> Any:
    """A field that may be left out, and is never null."""
    return Field(default=None, **options)


class ResponseModel(BaseModel):
    """A JSON object that is answered. Fields may be added."""


class CursorPage(ResponseModel):
    """A page of a list that goes on by cursor alone."""

    page_size: int = Field(examples=[20])
    next_cursor: str | None = Field(description="Leads to the next page; null where there is none.")


class Page(CursorPage):
    """A page of a list. One that a cursor led to has no `total`, `page` and `total_pages`."""

    total: int = _optional(examples=[7])
    page: int = _optional(examples=[1])
    total_pages: int = _optional(examples=[1])
    total_is_estimate: bool = _optional(description="Sent, as true, past 100,000.")


class BrokenRule(ResponseModel):
    """What is wrong in one place of the request, and for a line that is short of stock, of what."""

    detail: str
    pointer: str = _optional(description="Into the body (RFC 6901), as a URI fragment.")
    parameter: str = _optional(description="The name of a parameter of the path or the query.")
    header: str = _optional(description="The name of a header.")
    product_id: UUID = _optional()
    product_name: str = _optional()
    requested: int = _optional()
    available: int = _optional()


class Problem(ResponseModel):
    """What went wrong (RFC 9457). `type` is stable and tells problems apart; `detail` is for people."""

    type: Annotated[str, Field(json_schema_extra={"format": "uri-reference"})]
    title: str
    status: int
    detail: str
    errors: list[BrokenRule] = _optional()


class Message(ResponseModel):
    """What API Gateway answers itself, before a function is asked."""

    message: str = Field(examples=["Unauthorized"])
