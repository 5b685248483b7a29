"""A model of the shop in plain Python. The state machine compares the shop with it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Protocol

from tests.api_client import UNKNOWN

MAX_INTEGER = 2_147_483_647
MAX_TOTAL = Decimal("99999999.99")
MINUTES_TO_LIVE = 60

Body = Mapping[str, Any]
"""The fields of a response. An expected response has only the fields that the model can predict."""
Refusal = tuple[int, str]
"""The status and the kind of a problem."""

INSUFFICIENT_STOCK: Refusal = (400, "insufficient-stock")
INVALID_TRANSITION: Refusal = (400, "invalid-transition")
ORDER_NOT_FOUND: Refusal = (404, "order-not-found")
PRODUCT_NOT_FOUND: Refusal = (404, "product-not-found")
TOTAL_CHANGED: Refusal = (409, "total-changed")
STALE_ETAG: Refusal = (412, "stale-etag")
KEY_REUSED: Refusal = (422, "idempotency-key-reused")
NUMBER_OUT_OF_RANGE: Refusal = (422, "number-out-of-range")
TOTAL_TOO_LARGE: Refusal = (422, "total-too-large")

ACTORS = {"payment_event": "payment-processor", "expiry": "expire-orders"}
"""The actor for each cause that is not a user's request."""


class Named:
    name: str

    def _repr_pretty_(self, printer: Any, _: object) -> None:
        """Print the name when Hypothesis shows a failed example."""
        printer.text(self.name)


@dataclass(eq=False)
class Product(Named):
    id: str
    name: str
    price: Decimal
    quantity: int
    is_deleted: bool = False
    version: int = 0
    """Increases with every change of a value. Two ETags are equal if their versions are."""

    @property
    def path(self) -> str:
        return f"/api/products/{self.id}"

    def refusal(self, tag: "Tag | None" = None) -> Refusal | None:
        """The refusal that a change with this ETag gets, if any."""
        if self.is_deleted:
            return PRODUCT_NOT_FOUND
        return STALE_ETAG if tag and tag.version != self.version else None

    def change(self, price: Decimal | None = None, quantity: int | None = None) -> None:
        before = self.price, self.quantity
        self.price = self.price if price is None else price
        self.quantity = self.quantity if quantity is None else quantity
        # A change to the same values is none.
        self.version += (self.price, self.quantity) != before

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


def total(line_items: list[LineItem]) -> Decimal:
    return sum((line_item.price * line_item.quantity for line_item in line_items), Decimal(0))


@dataclass(eq=False)
class Order(Named):
    id: str
    name: str
    customer_id: int
    line_items: list[LineItem]
    status: str = "pending"
    payment_status: str = "unpaid"
    minutes_old: int = 0
    timeline: list[Body] = field(default_factory=list)

    @property
    def version(self) -> tuple[str, str]:
        """What an ETag of the order stands for. An order never returns to a state that it left."""
        return self.status, self.payment_status

    def refusal(self, target: str, version: tuple[str, str] | None = None) -> Refusal | None:
        """The refusal that a change to this status with the ETag of a version gets, if any."""
        if self is NO_ORDER:
            return ORDER_NOT_FOUND
        if version not in (None, self.version):
            return STALE_ETAG
        if self.status != "pending" or target == "pending":
            return INVALID_TRANSITION
        return NUMBER_OUT_OF_RANGE if target == "canceled" and not self.can_return_stock() else None

    def can_return_stock(self) -> bool:
        return all(line_item.product.quantity + line_item.quantity <= MAX_INTEGER for line_item in self.line_items)

    def change_status(self, target: str, cause: str = "status_change") -> None:
        self.status = target
        if target == "canceled":
            for line_item in self.line_items:
                line_item.product.move(line_item.quantity)
        needs_refund = target == "canceled" and self.payment_status == "paid"
        self.record(cause, outcome="needs_refund" if needs_refund else None)

    def is_unpaid(self) -> bool:
        return self.status == "pending" and self.payment_status != "paid"

    def is_due(self) -> bool:
        return self.is_unpaid() and self.minutes_old > MINUTES_TO_LIVE

    def record(self, cause: str, **fields: str | None) -> None:
        """Add an event to the timeline. It starts where the previous event ended."""
        empty = {"outcome": None, "reason": None, "idempotency_key": None, "payment_event_id": None}
        before = self.timeline[-1]["to"] if self.timeline else None
        after = {"status": self.status, "payment_status": self.payment_status}
        actor = ACTORS.get(cause, "anonymous")
        self.timeline.append({"cause": cause, "actor": actor, "from": before, "to": after, **empty, **fields})

    def as_response(self) -> Body:
        return {
            "id": self.id,
            "customer_id": self.customer_id,
            "status": self.status,
            "payment_status": self.payment_status,
            "total_price": str(total(self.line_items)),
            "order_items": [line_item.as_response() for line_item in self.line_items],
        }


NO_ORDER = Order(UNKNOWN, "no order", 1, [])


@dataclass(frozen=True)
class Tag:
    """An ETag that a product had at some time."""

    product: Product
    version: int
    etag: str = field(repr=False)


OrderTag = tuple[Order, tuple[str, str], str]
"""An order, its version when it was read, and its ETag."""


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
