"""The shop as it should be, in plain Python: what the state machine holds the real one against."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from tests.api_client import UNKNOWN

MAX_INTEGER = 2_147_483_647
MAX_TOTAL = Decimal("99999999.99")
MINUTES_TO_LIVE = 60

Body = Mapping[str, Any]
"""An answer's fields; where one is expected, those that can be foretold."""
Refusal = tuple[int, str]
"""Status and kind of a problem."""

INSUFFICIENT_STOCK: Refusal = (400, "insufficient-stock")
INVALID_TRANSITION: Refusal = (400, "invalid-transition")
ORDER_NOT_FOUND: Refusal = (404, "order-not-found")
PRODUCT_NOT_FOUND: Refusal = (404, "product-not-found")
STALE_ETAG: Refusal = (412, "stale-etag")
KEY_REUSED: Refusal = (422, "idempotency-key-reused")
NUMBER_OUT_OF_RANGE: Refusal = (422, "number-out-of-range")
TOTAL_TOO_LARGE: Refusal = (422, "total-too-large")

ACTORS = {"payment_event": "payment-processor", "expiry": "expire-orders"}
"""Who caused what an event says, where nobody asked for it."""


class Named:
    name: str

    def _repr_pretty_(self, printer: Any, _: object) -> None:
        """What Hypothesis shows where a test fails."""
        printer.text(self.name)


@dataclass(eq=False)
class Product(Named):
    id: str
    name: str
    price: Decimal
    quantity: int
    is_deleted: bool = False
    version: int = 0
    """Goes up with every change; two ETags are the same where the version is."""

    @property
    def path(self) -> str:
        return f"/api/products/{self.id}"

    def refusal(self, tag: "Tag | None" = None) -> Refusal | None:
        """Why it cannot be changed, by somebody who has read it at that time."""
        if self.is_deleted:
            return PRODUCT_NOT_FOUND
        return STALE_ETAG if tag and tag.version != self.version else None

    def change(self, price: Decimal | None = None, quantity: int | None = None) -> None:
        self.price = self.price if price is None else price
        self.quantity = self.quantity if quantity is None else quantity
        self.version += 1

    def move(self, delta: int) -> None:
        self.change(quantity=self.quantity + delta)

    def delete(self) -> None:
        self.is_deleted = True

    def as_response(self) -> Body:
        return {"id": self.id, "name": self.name, "price": str(self.price), "quantity": self.quantity}


NO_PRODUCT = Product(UNKNOWN, "no product", Decimal(1), 0, is_deleted=True)


@dataclass(frozen=True)
class LineItem:
    product: Product
    quantity: int
    price: Decimal

    def as_response(self) -> Body:
        return {"product_id": self.product.id, "quantity": self.quantity, "price_at_purchase": str(self.price)}


def total(lines: list[LineItem]) -> Decimal:
    return sum((line.price * line.quantity for line in lines), Decimal(0))


@dataclass(eq=False)
class Order(Named):
    id: str
    name: str
    customer_id: int
    lines: list[LineItem]
    status: str = "pending"
    payment_status: str = "unpaid"
    minutes_old: int = 0
    timeline: list[Body] = field(default_factory=list)

    def refusal(self, target: str) -> Refusal | None:
        """Why it cannot have another status."""
        if self is NO_ORDER:
            return ORDER_NOT_FOUND
        if self.status != "pending" or target == "pending":
            return INVALID_TRANSITION
        return NUMBER_OUT_OF_RANGE if target == "canceled" and not self.can_give_back() else None

    def can_give_back(self) -> bool:
        return all(line.product.quantity + line.quantity <= MAX_INTEGER for line in self.lines)

    def change_status(self, target: str, cause: str = "status_change") -> None:
        self.status = target
        if target == "canceled":
            for line in self.lines:
                line.product.move(line.quantity)
        needs_refund = target == "canceled" and self.payment_status == "paid"
        self.record(cause, outcome="needs_refund" if needs_refund else None)

    def is_due(self) -> bool:
        return self.status == "pending" and self.payment_status != "paid" and self.minutes_old > MINUTES_TO_LIVE

    def record(self, cause: str, **fields: str | None) -> None:
        """Add to the timeline, where each event starts where the one before ended."""
        nothing = {"outcome": None, "reason": None, "idempotency_key": None, "payment_event_id": None}
        before = self.timeline[-1]["to"] if self.timeline else None
        after = {"status": self.status, "payment_status": self.payment_status}
        who = ACTORS.get(cause, "anonymous")
        self.timeline.append({"cause": cause, "actor": who, "from": before, "to": after, **nothing, **fields})

    def as_response(self) -> Body:
        return {
            "id": self.id,
            "customer_id": self.customer_id,
            "status": self.status,
            "payment_status": self.payment_status,
            "total_price": str(total(self.lines)),
            "order_items": [line.as_response() for line in self.lines],
        }


NO_ORDER = Order(UNKNOWN, "no order", 1, [])


@dataclass(frozen=True)
class Tag:
    """The ETag that a product had at some time."""

    product: Product
    version: int
    etag: str = field(repr=False)


class Request(Protocol):
    """A request that makes something, once where it comes under a key."""

    def path(self) -> str: ...

    def body(self) -> Body: ...

    def content(self) -> object:
        """What a key is bound to."""
        return self.path(), self.body()

    def refusal(self) -> Refusal | None: ...

    def carry_out(self, model: "Model", response: Body, key: str | None) -> Body:
        """Make it, under the id that the answer gives it; what else the answer says."""


@dataclass
class Model:
    """Everything that the shop should know."""

    products: list[Product] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    kept: dict[tuple[type[Request], str | None], tuple[object, str]] = field(default_factory=dict)
    """The content of the first request with a key, and the text of its answer."""

    def on_sale(self) -> list[Product]:
        return [product for product in self.products if not product.is_deleted]

    def gone(self) -> list[Product]:
        return [NO_PRODUCT, *(product for product in self.products if product.is_deleted)]

    def time_passes(self, minutes: int) -> None:
        for order in self.orders:
            order.minutes_old += minutes

    def expire(self) -> int:
        """Cancel what was not paid in time, the oldest first; how many."""
        expired = 0
        for order in self.orders:
            if order.is_due() and order.can_give_back():
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
    lines: tuple[tuple[Product, int], ...]

    def path(self) -> str:
        return "/api/orders"

    def body(self) -> Body:
        products = [{"product_id": product.id, "quantity": quantity} for product, quantity in self.lines]
        return {"customer_id": self.customer_id, "products": products}

    def content(self) -> object:
        return self.customer_id, [(line.product, line.quantity) for line in self.added_together()]

    def added_together(self) -> list[LineItem]:
        """A line for each product, in the order of first mention, at the price of now."""
        quantities: dict[Product, int] = {}
        for product, quantity in self.lines:
            quantities[product] = quantities.get(product, 0) + quantity
        return [LineItem(product, quantity, product.price) for product, quantity in quantities.items()]

    def refusal(self) -> Refusal | None:
        if any(product.is_deleted for product, _ in self.lines):
            return PRODUCT_NOT_FOUND
        lines = self.added_together()
        if any(line.quantity > line.product.quantity for line in lines):
            return INSUFFICIENT_STOCK
        return TOTAL_TOO_LARGE if total(lines) > MAX_TOTAL else None

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:
        order = Order(response["id"], f"order {len(model.orders) + 1}", self.customer_id, self.added_together())
        model.orders.append(order)
        for line in order.lines:
            line.product.move(-line.quantity)
        order.record("placed", idempotency_key=key)
        return order.as_response()
