"""A model of the shop in plain Python, and the requests that create something in it."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar, Protocol

from tests.integration.books import Books
from tests.integration.entities import (
    INSUFFICIENT_STOCK,
    MAX_INTEGER,
    MAX_TOTAL,
    MINUTES_TO_LIVE,
    NO_ORDER,
    NO_PRODUCT,
    NUMBER_OUT_OF_RANGE,
    ORDER_NOT_FOUND,
    PRODUCT_NOT_FOUND,
    REFERENCE_TAKEN,
    SKU_TAKEN,
    TOTAL_CHANGED,
    TOTAL_TOO_LARGE,
    TOTAL_TOO_SMALL,
    WITHOUT_PERSONAL_DATA,
    Body,
    Charge,
    LineItem,
    Order,
    Product,
    Refusal,
    folded,
    personal_data,
    total,
)
from tests.integration.inbox import Inbox

PERSONAL_FIELDS = {"email", "shipping_address", "billing_address", "note", "reason", "refund", "acknowledgement"}


class Request(Protocol):
    """A request that creates something. With a key, it does so only once."""

    operation: ClassVar[str]
    """What the request does. In the timeline of an order, it is the cause."""

    def path(self) -> str: ...

    def body(self) -> Body: ...

    def content(self) -> object:
        """The content that a key is bound to."""
        return self.path(), self.body()

    def headers(self) -> dict[str, str]:
        return {}

    def refusal(self, model: "Model") -> Refusal | None: ...

    def carry_out(self, model: "Model", response: Body, key: str | None) -> Body:
        """Apply the request to the model, with the ID from the response. Return the expected response."""


def without_personal_data(response: Body) -> Body:
    """The first response to a key, after an erasure."""
    erased = {**response, **dict.fromkeys(PERSONAL_FIELDS & response.keys())}
    if "metadata" in response:
        erased["metadata"] = {}
    if response.get("cause") == "note":
        erased["message"] = "Staff wrote a note. Its text was erased."
    return erased


@dataclass
class Model:
    """The expected state of the shop."""

    products: list[Product] = field(default_factory=list)
    orders: list[Order] = field(default_factory=list)
    stored: dict[tuple[str, str | None], tuple[object, Body]] = field(default_factory=dict)
    """The content of the first request with each operation and key, and its response."""
    inbox: Inbox = field(default_factory=Inbox)

    def __post_init__(self) -> None:
        self.books = Books(self.orders, self.inbox)

    def on_sale(self) -> list[Product]:
        return [product for product in self.products if not product.is_deleted]

    def gone(self) -> list[Product]:
        return [NO_PRODUCT, *(product for product in self.products if product.is_deleted)]

    def first_response(self, operation: str, key: str | None) -> tuple[object, Body] | None:
        """The content of the first request with a key, and its response, without what was erased since."""
        if (operation, key) not in self.stored:
            return None
        content, response = self.stored[operation, key]
        is_erased = operation == "acknowledgement" and key in self.inbox.erased_note_keys
        return content, without_personal_data(response) if is_erased else response

    def has_sku(self, sku: str | None, *, except_for: Product | None = None) -> bool:
        others = [product.sku for product in self.on_sale() if product is not except_for and product.sku]
        return sku is not None and folded(sku) in map(folded, others)

    def time_passes(self, minutes: int) -> None:
        for order in self.orders:
            order.minutes_old += minutes

    def erase(self, orders: list[Order]) -> None:
        """Erase the personal data of orders."""
        had_texts = self.inbox.erase_bodies(orders) | self.books.erase_notes(orders)
        for order in orders:
            order.erase(had_texts=order in had_texts)
            for event in order.timeline:
                if event["idempotency_key"]:
                    stored = event["cause"], event["idempotency_key"]
                    content, response = self.stored[stored]
                    self.stored[stored] = content, without_personal_data(response)

    def expire(self) -> int:
        """Cancel the orders that were not paid in time and are not held, oldest first. Return their number."""
        expired = 0
        for order in self.orders:
            if order.is_due() and not self.inbox.holds(order) and order.can_return_stock():
                order.change_status("canceled", cause="expiry")
                expired += 1
        return expired


@dataclass(frozen=True)
class NewProduct(Request):
    operation: ClassVar[str] = "create"

    name: str
    price: Decimal
    quantity: int
    sku: str | None = None

    def path(self) -> str:
        return "/api/products"

    def body(self) -> Body:
        return {"name": self.name, "price": str(self.price), "quantity": self.quantity, "sku": self.sku}

    def refusal(self, model: Model) -> Refusal | None:
        return SKU_TAKEN if model.has_sku(self.sku) else None

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:  # noqa: ARG002  ledgers have no keys
        product = Product(response["id"], self.name, self.price, self.quantity, self.sku)
        model.products.append(product)
        return product.as_response()


@dataclass(frozen=True)
class Adjustment(Request):
    operation: ClassVar[str] = "adjustment"

    product: Product
    delta: int

    def path(self) -> str:
        return f"{self.product.path}/stock-adjustments"

    def body(self) -> Body:
        return {"delta": self.delta, "reason": "counted"}

    def refusal(self, model: Model) -> Refusal | None:  # noqa: ARG002  only the product matters
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
    operation: ClassVar[str] = "placed"

    customer_id: int
    line_items: tuple[tuple[Product, int], ...]
    charges: tuple[Charge, ...] = ()
    reference: str | None = None
    personal: tuple[str, ...] = ()
    """The names of the fields with personal data."""
    expected_total: Decimal | None = None
    expires_in_minutes: int | None = None

    @property
    def actor(self) -> str:
        return "anonymous"

    @property
    def minutes_to_live(self) -> int:
        return min(MINUTES_TO_LIVE, self.expires_in_minutes or MINUTES_TO_LIVE)

    def path(self) -> str:
        return "/api/orders"

    def body(self) -> Body:
        products = [{"product_id": product.id, "quantity": quantity} for product, quantity in self.line_items]
        expected = {} if self.expected_total is None else {"expected_total": str(self.expected_total)}
        optional = {"charges": [charge.as_response() for charge in self.charges], "reference": self.reference}
        time = {} if self.expires_in_minutes is None else {"expires_in_minutes": self.expires_in_minutes}
        who = {"customer_id": self.customer_id, **self.personal_data()}
        return {"products": products, **who, **optional, **expected, **time}

    def personal_data(self) -> Body:
        known = personal_data(self.customer_id)
        return {name: known[name] for name in self.personal}

    def content(self) -> object:
        units = [(line_item.product, line_item.quantity) for line_item in self.added_together()]
        optional = self.charges, self.reference, self.personal, self.expected_total, self.expires_in_minutes
        return self.customer_id, units, optional

    @property
    def total(self) -> Decimal:
        return total(self.added_together(), self.charges)

    def added_together(self) -> list[LineItem]:
        """One line item for each product, in the order of the request, at the current price."""
        quantities: dict[Product, int] = {}
        for product, quantity in self.line_items:
            quantities[product] = quantities.get(product, 0) + quantity
        return [LineItem(product, quantity, product.price, product.sku) for product, quantity in quantities.items()]

    def refusal(self, model: Model) -> Refusal | None:
        return self._refusal_without_a_lock(model) or self.exceeded_limit(model) or self._refusal_under_the_locks()

    def _refusal_without_a_lock(self, model: Model) -> Refusal | None:
        if self.reference is not None and self.reference in [order.reference for order in model.orders]:
            return REFERENCE_TAKEN
        if any(product.is_deleted for product, _ in self.line_items):
            return PRODUCT_NOT_FOUND
        return INSUFFICIENT_STOCK if any(product.quantity == 0 for product, _ in self.line_items) else None

    def _refusal_under_the_locks(self) -> Refusal | None:
        if any(line_item.quantity > line_item.product.quantity for line_item in self.added_together()):
            return INSUFFICIENT_STOCK
        if self.total < 0:
            return TOTAL_TOO_SMALL
        if self.total > MAX_TOTAL:
            return TOTAL_TOO_LARGE
        return TOTAL_CHANGED if self.expected_total not in (None, self.total) else None

    def exceeded_limit(self, model: Model) -> Refusal | None:  # noqa: ARG002  of a customer's order
        return None

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:
        name, number = f"order {len(model.orders) + 1}", response["number"]
        assert number > max((order.number for order in model.orders), default=1000)
        order = Order(
            *(response["id"], name, self.customer_id, self.added_together(), number, self.reference, self.charges),
            personal={**WITHOUT_PERSONAL_DATA, **self.personal_data()},
            item_ids=tuple(item["id"] for item in response["order_items"]),
            minutes_to_live=self.minutes_to_live,
        )
        # There is nothing to pay.
        order.payment_status = "paid" if order.total == 0 else "unpaid"
        model.orders.append(order)
        for line_item in order.line_items:
            line_item.product.move(-line_item.quantity)
        order.record("placed", actor=self.actor, idempotency_key=key)
        return order.as_response()


@dataclass(frozen=True)
class NewNote(Request):
    operation: ClassVar[str] = "note"

    order: Order
    text: str

    def path(self) -> str:
        return f"/api/orders/{self.order.id}/notes"

    def body(self) -> Body:
        return {"text": self.text}

    def refusal(self, model: Model) -> Refusal | None:  # noqa: ARG002  only the order matters
        return ORDER_NOT_FOUND if self.order is NO_ORDER else None

    def carry_out(self, model: Model, response: Body, key: str | None) -> Body:  # noqa: ARG002  as above
        self.order.record("note", note=self.text, idempotency_key=key)
        return self.order.timeline_as_response()[-1]
