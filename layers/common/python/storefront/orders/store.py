"""The order routes' calls. Each gives the JSON text of the answer."""

import json
from collections.abc import Callable
from typing import Any

from storefront import db
from storefront.actor import Actor
from storefront.errors import InsufficientStock, OrderNotFound, Problem, ProductNotFound
from storefront.fields import MAX_MONEY
from storefront.idempotency.keys import IdempotentResponse, call_once
from storefront.orders.models import NewOrder, OrderStatus


class TotalTooLarge(Problem):
    """The order's total would be more than 99999999.99."""

    status, kind, title = 422, "total-too-large", "Order total too large"

    def __init__(self, total: str) -> None:
        super().__init__(f"The order's total would be {total}. The maximum is {MAX_MONEY}.")


class InvalidTransition(Problem):
    """The order cannot change from its current status to the requested one."""

    status, kind, title = 400, "invalid-transition", "Invalid status transition"

    def __init__(self, current: str, requested: str) -> None:
        super().__init__(f"Cannot transition from {current} to {requested}")


def place(order: NewOrder, actor: Actor, key: str | None) -> IdempotentResponse:
    """Raises ProductNotFound, InsufficientStock or TotalTooLarge; then no stock has moved."""
    lines = [{"product_id": id_, "quantity": quantity} for id_, quantity in order.quantity_by_product().items()]
    response = call_once("place_order", {"customer_id": order.customer_id, "products": lines}, actor, key)
    if response.outcome in _REFUSALS:
        raise _REFUSALS[response.outcome](json.loads(response.body), order)
    return response


def list_page(request: dict[str, Any]) -> str:
    return db.call("list_orders", json.dumps(request))[1]


def get(order_id: str, customer_id: int | None) -> str:
    """customer_id: whose order it has to be; None for anybody's. Raises OrderNotFound."""
    return _one("get_order", {"id": order_id, "customer_id": customer_id})[1]


def events(order_id: str, customer_id: int | None, request: dict[str, Any]) -> str:
    """customer_id: whose order it has to be; None for anybody's. Raises OrderNotFound."""
    return _one("list_order_events", {"id": order_id, "customer_id": customer_id, **request})[1]


def change_status(order_id: str, status: OrderStatus, actor: Actor) -> str:
    """Raises OrderNotFound, or InvalidTransition where the state machine has no such step."""
    outcome, body = _one("change_order_status", {"id": order_id, "status": status, **actor})
    if outcome == "invalid_transition":
        raise InvalidTransition(json.loads(body), status)
    return body


def expire(time_to_live: int, batch_size: int, actor: Actor) -> int:
    """Cancel orders that stayed unpaid for longer than some minutes; how many, at most batch_size.

    Raises NumberOutOfRange where a product of theirs cannot take all of the stock back; then none was canceled.
    """
    request = {"time_to_live": time_to_live, "batch_size": batch_size, **actor}
    return int(db.call("expire_orders", json.dumps(request))[1])


def _one(function: str, request: dict[str, Any]) -> tuple[str, str]:
    outcome, body = db.call(function, json.dumps(request))
    if outcome == "unknown_order":
        raise OrderNotFound(request["id"])
    return outcome, body


def _unknown_products(product_ids: list[str], order: NewOrder) -> ProductNotFound:
    return ProductNotFound(*product_ids, pointers=[f"{_line_pointer(order, id_)}/product_id" for id_ in product_ids])


def _insufficient_stock(short: list[dict[str, Any]], order: NewOrder) -> InsufficientStock:
    return InsufficientStock(
        f"Insufficient stock for {', '.join(line['product_name'] for line in short)}",
        errors=[
            {
                "detail": f"Insufficient stock for {line['product_name']}: "
                f"{line['requested']} requested, {line['available']} available",
                "pointer": f"{_line_pointer(order, line['product_id'])}/quantity",
                **line,
            }
            for line in short
        ],
    )


def _total_too_large(total: str, _: NewOrder) -> TotalTooLarge:
    return TotalTooLarge(total)


_REFUSALS: dict[str, Callable[[Any, NewOrder], Problem]] = {
    "unknown_products": _unknown_products,
    "insufficient_stock": _insufficient_stock,
    "total_too_large": _total_too_large,
}


def _line_pointer(order: NewOrder, product_id: str) -> str:
    """The first line that names the product (RFC 6901)."""
    return f"#/products/{[line.product_id for line in order.products].index(product_id)}"
