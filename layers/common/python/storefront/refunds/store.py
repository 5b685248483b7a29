"""The database calls of the refund routes. Each returns the JSON text of the response."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from storefront import db
from storefront.actor import Actor
from storefront.currencies import WHOLE
from storefront.errors import InvalidRequest, OrderNotFound, PaymentDisputed, Problem, StaleETag
from storefront.idempotency.keys import IdempotentResponse, call_once
from storefront.refunds.models import NewRefund, RefundStatusChange


class PaymentNotFound(Problem):
    """The order has no payment with this ID."""

    status, kind, title = 404, "payment-not-found", "Payment not found"

    def __init__(self, payment_id: str | None) -> None:
        detail = f"Payment {payment_id} not found"
        super().__init__(detail, errors=[{"detail": detail, "pointer": "#/payment_id"}])


class OrderItemNotFound(Problem):
    """The order has no line item with this ID. `errors` lists each of them."""

    status, kind, title = 404, "order-item-not-found", "Line item not found"


class RefundNotFound(Problem):
    """The refund does not exist."""

    status, kind, title = 404, "refund-not-found", "Refund not found"

    def __init__(self, refund_id: str) -> None:
        super().__init__(f"Refund {refund_id} not found")


class RefundConflict(Problem):
    """The refund cannot change to this status. `refund_status` is its current status."""

    status, kind, title = 409, "refund-conflict", "Refund status conflict"

    def __init__(self, current: str, wanted: str) -> None:
        detail = f"The refund is {current}, so it cannot change to {wanted}."
        if current == wanted:
            detail = "The refund is already claimed."
        elif (current, wanted) == ("requested", "pending"):
            detail = "Too little is left of the payment, because other money of it went back. Cancel the refund."
        super().__init__(detail, members={"refund_status": current})


class ProcessorReferenceTaken(Problem):
    """Another refund of the payment has this reference, or this refund has another one."""

    status, kind, title = 409, "processor-reference-taken", "Processor reference taken"
    default_detail = "Another refund of the payment has this reference, or this refund has another one."


class RefundTooLarge(Problem):
    """The refund is larger than what is left of the payment. `amount_left` is that amount."""

    status, kind, title = 422, "refund-too-large", "Refund too large"

    def __init__(self, amount: str, left: str, *, has_payment: bool = True) -> None:
        detail = f"The refund would be {amount}, but only {left} is left of the payment."
        if not has_payment:
            detail = "The order has no payment that can be refunded."
        elif Decimal(left) == 0:
            detail = "Nothing is left of the payment."
        super().__init__(detail, members={"amount_left": left})


class SeveralPayments(Problem):
    """Several payments of the order have money left. Send the `payment_id` of one of `payments`."""

    status, kind, title = 422, "several-payments", "Several payments"
    default_detail = "Several payments of the order have money left. Send the payment_id of one of them."


class TooManyUnits(Problem):
    """A line has more units than were sold, or returns units that are back in the stock. `errors` lists each line."""

    status, kind, title = 422, "too-many-units", "Too many units"


def request(
    order_id: str, refund: NewRefund, if_match: list[str] | None, actor: Actor, key: str | None
) -> IdempotentResponse:
    """Request a refund of a payment, and return units to the stock.

    Raises the first of these that applies, and then changes nothing: OrderNotFound, StaleETag, PaymentNotFound,
    SeveralPayments, PaymentDisputed, OrderItemNotFound, TooManyUnits, InvalidRequest for an amount that the payment's
    currency does not allow, RefundTooLarge.
    """
    content = refund.model_dump(mode="json", exclude={"lines"}, exclude_none=True)
    if units := refund.units():
        content["lines"] = units
    response = call_once(
        "request_refund", {"id": order_id, **content}, actor, key, if_match=if_match, whole_currencies=WHOLE
    )
    if response.outcome == "unknown_order":
        raise OrderNotFound(order_id)
    if response.outcome == "stale":
        raise StaleETag
    if response.outcome in _REFUSALS:
        raise _REFUSALS[response.outcome](json.loads(response.body or "null"), refund)
    return response


def set_status(refund_id: str, change: RefundStatusChange, actor: Actor) -> str:
    """Set the status of a refund.

    Raises RefundNotFound, RefundConflict, PaymentDisputed for a claim, or ProcessorReferenceTaken.
    """
    request = {"id": refund_id, **change.model_dump(exclude_none=True), **actor}
    outcome, body = db.call("set_refund_status", json.dumps(request), repeatable=False)
    match outcome:
        case "unknown_refund":
            raise RefundNotFound(refund_id)
        case "invalid_transition" | "exceeds_payment":
            raise RefundConflict(json.loads(body), change.status)
        case "payment_disputed":
            raise PaymentDisputed
        case "reference_taken":
            raise ProcessorReferenceTaken
    return body


def list_page(request: dict[str, Any]) -> str:
    """Return a page of refunds. id in the request: only those of this order. Raises OrderNotFound."""
    outcome, body = db.call("list_refunds", json.dumps(request), repeatable=True)
    if outcome == "unknown_order":
        raise OrderNotFound(request["id"])
    return body


def _unknown_items(ids: list[str], refund: NewRefund) -> OrderItemNotFound:
    errors = [
        {"detail": f"Line item {id_} not found", "pointer": f"{_pointer(refund, id_)}/order_item_id"} for id_ in ids
    ]
    return OrderItemNotFound(f"Line item {', '.join(ids)} not found", errors=errors)


def _too_many_units(items: list[dict[str, Any]], refund: NewRefund) -> TooManyUnits:
    errors = [
        {
            "detail": f"{item['quantity']} requested, {item['ordered']} ordered"
            if item["quantity"] > item["ordered"]
            else f"{item['restock']} requested to return to the stock, {item['ordered']} ordered, "
            f"{item['returned']} already returned",
            "pointer": f"{_pointer(refund, item['order_item_id'])}/quantity",
        }
        for item in items
    ]
    return TooManyUnits("A line item has too many units.", errors=errors)


def _invalid_amount(detail: str) -> InvalidRequest:
    return InvalidRequest(f"#/amount: {detail}", errors=[{"detail": detail, "pointer": "#/amount"}])


def _other_currency(currencies: dict[str, str], _: NewRefund) -> InvalidRequest:
    payment, order = currencies["payment"], currencies["order"]
    return _invalid_amount(f"Input is required, because the payment is in {payment}, and the prices are in {order}")


def _whole_number(currency: str, _: NewRefund) -> InvalidRequest:
    return _invalid_amount(f"Input should be a whole number, because {currency} has no decimal places")


def _refund_too_large(found: dict[str, Any], _: NewRefund) -> RefundTooLarge:
    return RefundTooLarge(found["amount"], found["amount_left"], has_payment=found["has_payment"])


_REFUSALS: dict[str, Callable[[Any, NewRefund], Problem]] = {
    "unknown_payment": lambda _, refund: PaymentNotFound(refund.payment_id),
    "several_payments": lambda payments, _: SeveralPayments(members={"payments": payments}),
    "payment_disputed": lambda *_: PaymentDisputed(),
    "unknown_items": _unknown_items,
    "too_many_units": _too_many_units,
    "other_currency": _other_currency,
    "whole_number": _whole_number,
    "refund_too_large": _refund_too_large,
}


def _pointer(refund: NewRefund, order_item_id: str) -> str:
    """Return the JSON Pointer of the first line with the line item (RFC 6901)."""
    return f"#/lines/{[line.order_item_id for line in refund.lines or []].index(order_item_id)}"
