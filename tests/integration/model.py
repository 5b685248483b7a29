"""A model of the shop in plain Python, and the requests that create something in it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from tests.integration.entities import (
    INSUFFICIENT_STOCK,
    MAX_INTEGER,
    MAX_TOTAL,
    NO_PRODUCT,
    NUMBER_OUT_OF_RANGE,
    PRODUCT_NOT_FOUND,
    TOTAL_CHANGED,
    TOTAL_TOO_LARGE,
    Body,
    LineItem,
    Order,
    Product,
    Refusal,
    total,
)


class Request(Protocol):
    """A request that creates something. With a key, it does so only once."""

    def path(self) -> str: ...

    def body(self) -> Body: ...

    def content(self) -> object:
        """The content that a key is bound to."""
        return self.path(), self.body()

    def refusal(self) -> Refusal | None: ...

    def carry_out(self, model: "Model", response: Body, key: str | None) -> Body:
        """Apply the request to the model, with the ID from the response. Return the expected response."""


@dataclass
class Model:
    """The expected state of the shop."""

    products: list[Product] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    stored: dict[tuple[type[Request], str | None], tuple[object, str]] = field(default_factory=dict)
    """The content of the first request with each key, and the text of its response."""

    def on_sale(self) -> list[Product]:
        return [product for product in self.products if not product.is_deleted]

    def gone(self) -> list[Product]:
        return [NO_PRODUCT, *(product for product in self.products if product.is_deleted)]

    def time_passes(self, minutes: int) -> None:
        for order in self.orders:
            order.minutes_old += minutes

    def expire(self, holds: Callable[[Order], bool]) -> int:
        """Cancel the orders that were not paid in time and are not held, oldest first. Return their number."""
        expired = 0
        for order in self.orders:
            if order.is_due() and not holds(order) and order.can_return_stock():
                order.change_status("canceled", cause="expiry")
                expired += 1
        return expired


@dataclass(frozen=True)
class NewProduct(Request):
    name: str
    price: Decimal
    quantity: int

    def path(self) -> str:
        return "/api/products"

    def body(self) -> Body:
        return {"name": self.name, "price": str(self.price), "quantity": self.quantity}

    def refusal(self) -> Refusal | None:
        return None

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:  # noqa: ARG002  ledgers have no keys
        product = Product(response["id"], self.name, self.price, self.quantity)
        model.products.append(product)
        return product.as_response()


@dataclass(frozen=True)
class Adjustment(Request):
    product: Product
    delta: int

    def path(self) -> str:
        return f"{self.product.path}/stock-adjustments"

    def body(self) -> Body:
        return {"delta": self.delta, "reason": "counted"}

    def refusal(self) -> Refusal | None:
        if self.product.is_deleted:
            return PRODUCT_NOT_FOUND
        quantity = self.product.quantity + self.delta
        if quantity < 0:
            return INSUFFICIENT_STOCK
        return NUMBER_OUT_OF_RANGE if quantity > MAX_INTEGER else None

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:  # noqa: ARG002  ledgers have no keys
        self.product.move(self.delta)
        return {"product_id": self.product.id, **self.body(), "quantity": self.product.quantity}


@dataclass(frozen=True)
class NewOrder(Request):
    customer_id: int
    line_items: tuple[tuple[Product, int], ...]
    expected_total: Decimal | None = None

    def path(self) -> str:
        return "/api/orders"

    def body(self) -> Body:
        products = [{"product_id": product.id, "quantity": quantity} for product, quantity in self.line_items]
        expected = {} if self.expected_total is None else {"expected_total": str(self.expected_total)}
        return {"customer_id": self.customer_id, "products": products, **expected}

    def content(self) -> object:
        units = [(line_item.product, line_item.quantity) for line_item in self.added_together()]
        return self.customer_id, units, self.expected_total

    def added_together(self) -> list[LineItem]:
        """One line item for each product, in the order of the request, at the current price."""
        quantities: dict[Product, int] = {}
        for product, quantity in self.line_items:
            quantities[product] = quantities.get(product, 0) + quantity
        return [LineItem(product, quantity, product.price) for product, quantity in quantities.items()]

    def refusal(self) -> Refusal | None:
        if any(product.is_deleted for product, _ in self.line_items):
            return PRODUCT_NOT_FOUND
        line_items = self.added_together()
        if any(line_item.quantity > line_item.product.quantity for line_item in line_items):
            return INSUFFICIENT_STOCK
        if total(line_items) > MAX_TOTAL:
            return TOTAL_TOO_LARGE
        return TOTAL_CHANGED if self.expected_total not in (None, total(line_items)) else None

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:
        order = Order(response["id"], f"order {len(model.orders) + 1}", self.customer_id, self.added_together())
        model.orders.append(order)
        for line_item in order.line_items:
            line_item.product.move(-line_item.quantity)
        order.record("placed", idempotency_key=key)
        return order.as_response()
