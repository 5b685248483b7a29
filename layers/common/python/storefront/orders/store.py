"""The database calls of the order routes. Each returns the JSON text of the response."""

import json
from collections.abc import Callable
from typing import Any

from storefront import db, settings
from storefront.actor import Actor
from storefront.errors import (
    InsufficientStock,
    OrderNotFound,
    PaymentDisputed,
    Problem,
    ProductNotFound,
    StaleETag,
    retry_after,
)
from storefront.fields import MAX_MONEY
from storefront.idempotency.keys import IdempotentResponse, call_once
from storefront.orders.models import NewOrder, StatusChange

MAX_POSTPONED = 1000
"""Postponed orders that are counted. More would say no more."""

UNKNOWN_WAIT = 60
"""Seconds until a retry, if it is not known when an order expires."""


class TotalTooLarge(Problem):
    """The order's total would be more than 99999999.99."""

    status, kind, title = 422, "total-too-large", "Order total too large"

    def __init__(self, total: str) -> None:
        super().__init__(f"The order's total would be {total}. The maximum is {MAX_MONEY}.")


class TotalTooSmall(Problem):
    """The order's total would be less than 0."""

    status, kind, title = 422, "total-too-small", "Order total too small"

    def __init__(self, total: str) -> None:
        super().__init__(f"The order's total would be {total}. The minimum is 0.")


class ProductBusy(Problem):
    """Too many buyers order a product at this moment. Nothing was ordered. Retry after `Retry-After` seconds."""

    status, kind, title = 503, "product-busy", "Too many buyers at once"
    default_detail = (
        "Too many buyers order a product at this moment. Nothing was ordered. Try again after Retry-After seconds."
    )

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": retry_after()})


class ReferenceTaken(Problem):
    """Another order has this reference. `order_id` is its ID, if the same caller placed it."""

    status, kind, title = 409, "reference-taken", "Reference taken"

    def __init__(self, order_id: str | None) -> None:
        super().__init__("Another order has this reference.", members={"order_id": order_id} if order_id else {})


class TotalChanged(Problem):
    """The order's total is not `expected_total`. `total_price` is the current total."""

    status, kind, title = 409, "total-changed", "Order total changed"

    def __init__(self, total: str) -> None:
        detail = f"The order's total is {total} now. Show it to the buyer, and send it as expected_total."
        super().__init__(detail, members={"total_price": total})


class OrderLimit(Problem):
    """The order is larger than a customer may order at once. `limit` names the limit, and `maximum` is its value."""

    status, kind, title = 422, "order-limit", "Order too large"

    def __init__(self, exceeded: dict[str, Any]) -> None:
        what = {"order_lines": "line items", "order_units": "units of a product", "customer_units": "units"}
        detail = (
            f"The order has {exceeded['requested']} {what[exceeded['limit']]}. The maximum is {exceeded['maximum']}."
            " Order less at once."
        )
        super().__init__(detail, members=exceeded)


class CustomerLimit(Problem):
    """The customer has too much on order that is not paid, or places two orders at once. `limit` names the limit.

    `maximum` is its value, and `held` is what the customer has on order.
    """

    status, kind, title = 429, "customer-limit", "Too much on order"

    def __init__(self, exceeded: dict[str, Any]) -> None:
        """exceeded: the limit, with retry_after: the seconds until a retry can succeed, or None if that is unknown."""
        members = {name: value for name, value in exceeded.items() if name != "retry_after"}
        # An order that is overdue counts until the next run of the scheduled function.
        seconds = exceeded["retry_after"] if (exceeded["retry_after"] or 0) > 0 else UNKNOWN_WAIT
        super().__init__(
            {
                "concurrent_orders": "Another order of the customer is being placed. Try again.",
                "customer_orders": "The customer has {held} orders that wait for payment. The maximum is {maximum}."
                " Pay or cancel one of them, or wait until one expires.",
                "daily_orders": "The customer did not pay {held} orders of the last day. The maximum is {maximum}."
                " Pay one of them, or try again later.",
                "customer_units": "The customer has {held} units in orders that wait for payment, and wants {requested}"
                " more. The maximum is {maximum}. Pay or cancel one of these orders, or wait until one expires.",
            }[exceeded["limit"]].format_map(members),
            members=members,
            headers={"Retry-After": str(seconds)},
        )


class NotCancelable(Problem):
    """Customers can cancel only orders that are pending and not paid, and for which no payment is under way."""

    status, kind, title = 409, "not-cancelable", "Order not cancelable"
    default_detail = "The order is not pending any more, is paid, or a payment for it is under way. Ask the shop."


class InvalidTransition(Problem):
    """The order cannot change from its current status to the requested one."""

    status, kind, title = 400, "invalid-transition", "Invalid status transition"

    def __init__(self, current: str, requested: str) -> None:
        super().__init__(f"Cannot transition from {current} to {requested}")


def place(order: NewOrder, actor: Actor, key: str | None) -> IdempotentResponse:
    """Place an order. One that a customer places has limits, and a shorter time to live.

    Raises the first of these that applies, and then changes nothing: ReferenceTaken, ProductNotFound,
    InsufficientStock, OrderLimit, CustomerLimit, ProductBusy, TotalTooSmall, TotalTooLarge, TotalChanged.
    """
    is_customer = actor["party"] == "customer"
    content: dict[str, Any] = {
        "customer_id": order.customer_id,
        "products": [{"product_id": id_, "quantity": units} for id_, units in order.quantity_by_product().items()],
    }
    optional = order.model_dump(mode="json", exclude={"customer_id", "products"})
    # What is absent, null or empty is the same.
    content |= {name: value for name, value in optional.items() if value}
    circumstances = {
        "currency": settings.currency(),
        "queue_slots": settings.queue_slots(),
        "time_to_live": _time_to_live(order.expires_in_minutes, is_customer=is_customer),
    }
    if is_customer:
        circumstances["limits"] = settings.customer_limits()
    response = call_once("place_order", content, actor, key, **circumstances)
    if response.outcome == "busy":
        raise ProductBusy
    if response.outcome in _REFUSALS:
        raise _REFUSALS[response.outcome](json.loads(response.body), order)
    return response


def list_page(request: dict[str, Any]) -> str:
    return db.call("list_orders", json.dumps(request), repeatable=True)[1]


def get(order_id: str, customer_id: int | None) -> str:
    """Return an order. customer_id: the order must belong to this customer, unless None. Raises OrderNotFound."""
    return _call_for_order("get_order", {"id": order_id, "customer_id": customer_id}, repeatable=True)[1]


def events(order_id: str, customer_id: int | None, reader: str, request: dict[str, Any]) -> str:
    """Return a page of an order's timeline.

    customer_id: as in get(). A customer sees only the party that acted. reader: who reads. Raises OrderNotFound.
    """
    request = {"id": order_id, "customer_id": customer_id, "reader": reader, **request}
    return _call_for_order("list_order_events", request, repeatable=True)[1]


def change_status(
    order_id: str, change: StatusChange, if_match: list[str] | None, actor: Actor, customer_id: int | None = None
) -> str:
    """Complete or cancel an order, and request a refund of all its payments if the change says so.

    customer_id: the customer who cancels an order, or None for the shop.
    Raises OrderNotFound, InvalidTransition or NotCancelable, PaymentDisputed, or StaleETag if the order's ETag is not
    in if_match.
    """
    request = {"id": order_id, "customer_id": customer_id, **change.model_dump(), "if_match": if_match, **actor}
    outcome, body = _call_for_order("change_order_status", request, repeatable=False)
    if outcome == "payment_under_way" or (outcome == "invalid_transition" and customer_id is not None):
        raise NotCancelable
    if outcome == "invalid_transition":
        raise InvalidTransition(json.loads(body), change.status)
    if outcome == "payment_disputed":
        raise PaymentDisputed
    return body


def add_note(order_id: str, text: str, actor: Actor, key: str | None) -> IdempotentResponse:
    """Add a note of staff to an order's timeline. Raises OrderNotFound."""
    response = call_once("add_order_note", {"id": order_id, "text": text}, actor, key)
    if response.outcome == "unknown_order":
        raise OrderNotFound(order_id)
    return response


def erase_personal_data(customer_id: int, actor: Actor) -> str:
    """Erase the personal data of a customer."""
    request = {"customer_id": customer_id, **actor}
    return db.call("erase_personal_data", json.dumps(request), repeatable=True)[1]


def expire(batch_size: int, actor: Actor) -> int:
    """Cancel up to batch_size orders that were not paid in time. Return how many.

    While the webhook is silent, an order is canceled a day later, because it may be paid.
    Raises NumberOutOfRange if the returned stock of a product would be too large, and then cancels nothing.
    """
    request = {"batch_size": batch_size, "silence_hours": settings.webhook_silence_hours(), **actor}
    return int(db.call("expire_orders", json.dumps(request), repeatable=False)[1])


def postponed() -> int:
    """Return how many orders do not expire because the webhook is silent, at most MAX_POSTPONED."""
    request = {"silence_hours": settings.webhook_silence_hours(), "maximum": MAX_POSTPONED}
    return int(db.call("postponed_orders", json.dumps(request), repeatable=True)[1])


def _call_for_order(function: str, request: dict[str, Any], *, repeatable: bool) -> tuple[str, str]:
    outcome, body = db.call(function, json.dumps(request), repeatable=repeatable)
    if outcome == "unknown_order":
        raise OrderNotFound(request["id"])
    if outcome == "stale":
        raise StaleETag
    return outcome, body


def _unknown_products(product_ids: list[str], order: NewOrder) -> ProductNotFound:
    return ProductNotFound(*product_ids, pointers=[f"{_item_pointer(order, id_)}/product_id" for id_ in product_ids])


def _insufficient_stock(short: list[dict[str, Any]], order: NewOrder) -> InsufficientStock:
    return InsufficientStock(
        f"Insufficient stock for {', '.join(product['product_name'] for product in short)}",
        errors=[
            {
                "detail": f"Insufficient stock for {product['product_name']}: "
                f"{product['requested']} requested, {product['available']} available",
                "pointer": f"{_item_pointer(order, product['product_id'])}/quantity",
                **product,
            }
            for product in short
        ],
    )


def _time_to_live(requested: int | None, *, is_customer: bool) -> int:
    """Return the minutes after which an order expires, or 0 for never."""
    shop, customer = settings.order_time_to_live(), settings.customer_order_time_to_live()
    if shop == 0:
        return 0
    return min(shop, (is_customer and customer) or shop, requested or shop)


_REFUSALS: dict[str, Callable[[Any, NewOrder], Problem]] = {
    "order_limit": lambda exceeded, _: OrderLimit(exceeded),
    "customer_limit": lambda exceeded, _: CustomerLimit(exceeded),
    "unknown_products": _unknown_products,
    "insufficient_stock": _insufficient_stock,
    "total_too_large": lambda total, _: TotalTooLarge(total),
    "total_too_small": lambda total, _: TotalTooSmall(total),
    "total_changed": lambda total, _: TotalChanged(total),
    "reference_taken": lambda order_id, _: ReferenceTaken(order_id),
}


def _item_pointer(order: NewOrder, product_id: str) -> str:
    """Return the JSON Pointer of the first line item with the product (RFC 6901)."""
    return f"#/products/{[item.product_id for item in order.products].index(product_id)}"
