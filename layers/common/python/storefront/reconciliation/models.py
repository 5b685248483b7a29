"""The requests of the reconciliation routes."""

from typing import Annotated, Literal

from pydantic import Field

from storefront.fields import QueryInteger, RequestModel
from storefront.lists.parameters import PageParameters
from storefront.texts import NotBlank, Note

ReconciliationKind = Literal[
    "paid_and_canceled",
    "paid_twice",
    "completed_and_unpaid",
    "paid_after_completion",
    "amount_mismatch",
    "conflicting_event",
    "event_without_order",
    "unreadable_event",
    "pending_too_long",
    "held_too_long",
    "over_refunded",
    "refund_failed",
    "refund_stuck",
    "disputed",
]


class ReconciliationParameters(PageParameters):
    kind: Annotated[ReconciliationKind | None, Field(description="List only entries of this kind.")] = None
    acknowledged: Annotated[
        Literal["true", "false"],
        Field(description="`true` lists the entries that staff dismissed, `false` the others."),
    ] = "false"
    pending_minutes: Annotated[
        QueryInteger,
        Field(
            ge=0,
            le=9_999_999,
            description="The number of minutes after which a pending order is listed as `pending_too_long`.",
        ),
    ] = 1440


class NewAcknowledgement(RequestModel):
    """Why staff dismiss an entry."""

    note: Annotated[Note, NotBlank, Field(description="Why no more needs to be done.")]
