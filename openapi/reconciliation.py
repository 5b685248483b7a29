"""The reconciliation: response models, example requests and routes."""

from datetime import datetime
from uuid import UUID

from pydantic import Field

from openapi.operation import KEY, REPLAYED, Example, Operation
from openapi.orders import OrderSummary
from openapi.payments import Payment, PaymentEvent
from openapi.refunds import Refund
from openapi.responses import MOMENT, PAYMENT_EVENT_ID, Page, ResponseModel
from storefront.reconciliation.models import NewAcknowledgement, ReconciliationKind, ReconciliationParameters
from storefront.reconciliation.store import AlreadyAcknowledged, ReconciliationEntryNotFound


class Acknowledgement(ResponseModel):
    note: str | None = Field(description="Why. null after an erasure.", examples=["Paid in cash."])
    actor: str = Field(description="Who dismissed the entry.", examples=["anonymous"])
    acknowledged_at: datetime = Field(examples=[MOMENT])


class ReconciliationEntry(ResponseModel):
    """Money that does not match an order, or goods without money."""

    kind: ReconciliationKind
    id: UUID = Field(description="It stays the same while the entry is listed.", examples=[PAYMENT_EVENT_ID])
    since: datetime = Field(examples=[MOMENT])
    message: str = Field(
        description="What happened, for staff.", examples=["Money arrived, but not the total of the order."]
    )
    action: str = Field(description="What staff should do.", examples=["Settle the difference with the customer."])
    order: OrderSummary | None
    payment_event: PaymentEvent | None
    payment: Payment | None
    refund: Refund | None
    acknowledgement: Acknowledgement | None = Field(description="null if staff did not dismiss the entry.")


class ReconciliationPage(Page):
    items: list[ReconciliationEntry]


OPERATIONS: dict[tuple[str, str], Operation] = {
    ("GET", "/api/reconciliation"): Operation(
        "reconcile",
        "reconciliation",
        "List orders and payments that do not match, oldest first",
        ReconciliationPage,
        description=(
            "For example, a canceled order that was paid, or a completed order that was not paid. An entry ends when"
            " the money adds up, or when staff acknowledge it."
        ),
        parameters=ReconciliationParameters,
        examples={"reconcile": Example(query={"kind": "amount_mismatch"})},
        response_headers=("Link",),
    ),
    ("POST", "/api/reconciliation/{kind}/{id}/acknowledgement"): Operation(
        "acknowledge_mismatch",
        "reconciliation",
        "Dismiss an entry of the reconciliation",
        ReconciliationEntry,
        201,
        description=(
            "The entry is not listed any more, except with `acknowledged=true`. If money of its order moves later, it"
            " is listed again."
        ),
        path_id=PAYMENT_EVENT_ID,
        path_kind="amount_mismatch",
        body=NewAcknowledgement,
        examples={"acknowledge-mismatch": Example({"note": "The customer paid the rest in cash."})},
        request_headers=KEY,
        response_headers=REPLAYED,
        problems=(ReconciliationEntryNotFound, AlreadyAcknowledged),
    ),
}
