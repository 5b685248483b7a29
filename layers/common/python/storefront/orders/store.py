"""The order routes' calls. Each gives the JSON text of the answer."""

import json
from collections.abc import Callable
from typing import Any

from storefront import db
from storefront.errors import OrderNotFound, Problem, ProductNotFound
from storefront.fields import MAX_MONEY
from storefront.orders.models import NewOrder, OrderListParameters, OrderStatus


class InsufficientStock(Problem):
    status, kind, title = 400, "insufficient-stock", "Insufficient stock"


class TotalTooLarge(Problem):
    status, kind, title = 422, "total-too-large", "The order's total is too large"


class InvalidTransition(Problem):
    status, kind, title = 400, "invalid-transition", "The order's status does not allow that"


def place(order: NewOrder) -> str:
    """Raises ProductNotFound, InsufficientStock or TotalTooLarge; then no stock has moved."""
    lines = [{"product_id": id_, "quantity": quantity} for id_, quantity in order.quantity_by_product().items()]
    request = json.dumps({"customer_id": order.customer_id, "products": lines})
    outcome, body = db.call("place_order", request)
    if outcome == "placed":
        return body
    raise _REFUSALS[outcome](json.loads(body), order)


def listed(parameters: OrderListParameters) -> str:
    return db.call("list_orders", parameters.model_dump_json())[1]


def get(order_id: str) -> str:
    outcome, body = db.call("get_order", json.dumps({"id": order_id}))
    if outcome == "unknown_order":
        raise _not_found(order_id)
    return body


def change_status(order_id: str, status: OrderStatus) -> str:
    """Raises OrderNotFound, or InvalidTransition where the state machine has no such step."""
    outcome, body = db.call("change_order_status", json.dumps({"id": order_id, "status": status}))
    if outcome == "unknown_order":
        raise _not_found(order_id)
    if outcome == "invalid_transition":
        raise InvalidTransition(f"Cannot transition from {json.loads(body)} to {status}")
    return body


def _not_found(order_id: str) -> OrderNotFound:
    return OrderNotFound(f"There is no order {order_id}.")


def _unknown_products(product_ids: list[str], order: NewOrder) -> ProductNotFound:
    return ProductNotFound(
        f"There is no product {', '.join(product_ids)}.",
        errors=[
            {"detail": f"There is no product {id_}.", "pointer": f"{_line_pointer(order, id_)}/product_id"}
            for id_ in product_ids
        ],
    )


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
    return TotalTooLarge(f"The order comes to {total}; no order can come to more than {MAX_MONEY}.")


_REFUSALS: dict[str, Callable[[Any, NewOrder], Problem]] = {
    "unknown_products": _unknown_products,
    "insufficient_stock": _insufficient_stock,
    "total_too_large": _total_too_large,
}


def _line_pointer(order: NewOrder, product_id: str) -> str:
    """The first line that names the product (RFC 6901)."""
    return f"#/products/{[line.product_id for line in order.products].index(product_id)}"
