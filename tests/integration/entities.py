"""The products and the orders of the model, with the refusal that each change gets."""

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.api_client import UNKNOWN
from tests.integration.money import Money, Named

MAX_INTEGER = 2_147_483_647
MAX_TOTAL = Decimal("99999999.99")
MINUTES_TO_LIVE = 60

Body = Mapping[str, Any]
"""The fields of a response. An expected response has only the fields that the model can predict."""
Refusal = tuple[int, str]
"""The status and the kind of a problem."""
OrderVersion = tuple[str, str, int, int]
"""The status, the payment status, the number of erasures, and the version of the money."""

INSUFFICIENT_STOCK: Refusal = (400, "insufficient-stock")
INVALID_TRANSITION: Refusal = (400, "invalid-transition")
NOT_CANCELABLE: Refusal = (409, "not-cancelable")
ORDER_NOT_FOUND: Refusal = (404, "order-not-found")
PRODUCT_NOT_FOUND: Refusal = (404, "product-not-found")
REFERENCE_TAKEN: Refusal = (409, "reference-taken")
SKU_TAKEN: Refusal = (409, "sku-taken")
TOTAL_CHANGED: Refusal = (409, "total-changed")
STALE_ETAG: Refusal = (412, "stale-etag")
KEY_REUSED: Refusal = (422, "idempotency-key-reused")
NUMBER_OUT_OF_RANGE: Refusal = (422, "number-out-of-range")
TOTAL_TOO_LARGE: Refusal = (422, "total-too-large")
TOTAL_TOO_SMALL: Refusal = (422, "total-too-small")

CANARY = "canary"
"""Is in all personal data of the model, and nowhere else."""
WITHOUT_PERSONAL_DATA: Body = {
    **dict.fromkeys(("email", "shipping_address", "billing_address", "note")),
    "metadata": {},
}

ACTORS = {"payment_event": "payment-processor", "expiry": "expire-orders"}
"""The actor for each cause that is not a user's request."""


@dataclass(eq=False, repr=False)
class Product(Named):
    id: str
    name: str
    price: Decimal
    quantity: int
    sku: str | None = None
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

    def change(self, **values: Any) -> None:
        before = self.price, self.quantity, self.sku
        self.price = values.get("price", self.price)
        self.quantity = values.get("quantity", self.quantity)
        self.sku = values.get("sku", self.sku)
        # A change to the same values is none.
        self.version += (self.price, self.quantity, self.sku) != before

    def move(self, delta: int) -> None:
        self.change(quantity=self.quantity + delta)

    def delete(self) -> None:
        self.is_deleted = True

    def as_response(self) -> Body:
        values = {"price": str(self.price), "quantity": self.quantity, "sku": self.sku}
        return {"id": self.id, "name": self.name, **values}


def folded(sku: str) -> str:
    """Two SKUs are the same if this is."""
    return unicodedata.normalize("NFKC", sku).casefold()


def personal_data(customer_id: int) -> Body:
    """The personal data that an order of this customer can have."""
    name = f"{CANARY} {customer_id}"
    address = {
        **dict.fromkeys(("name", "line1", "city"), name),
        **dict.fromkeys(("company", "line2", "region", "postal_code", "phone")),
        "country": "DE",
    }
    return {
        "email": f"{CANARY}-{customer_id}@example.com",
        "shipping_address": address,
        "billing_address": address,
        "note": name,
        "metadata": {"gift": name},
    }


NO_PRODUCT = Product(UNKNOWN, "no product", Decimal(1), 0, is_deleted=True)


@dataclass(frozen=True)
class LineItem:
    product: Product
    quantity: int
    price: Decimal
    sku: str | None

    def as_response(self) -> Body:
        sold = {"product_id": self.product.id, "sku": self.sku}
        return {**sold, "quantity": self.quantity, "price_at_purchase": str(self.price)}


@dataclass(frozen=True)
class Charge:
    kind: str
    amount: Decimal

    def as_response(self) -> Body:
        return {"kind": self.kind, "label": "x", "amount": str(self.amount)}


def total(line_items: list[LineItem], charges: tuple[Charge, ...]) -> Decimal:
    sold = (line_item.price * line_item.quantity for line_item in line_items)
    return sum([*sold, *(charge.amount for charge in charges)], Decimal("0.00"))


@dataclass(eq=False, repr=False)
class Order(Named):
    id: str
    name: str
    customer_id: int
    line_items: list[LineItem]
    number: int = 0
    reference: str | None = None
    charges: tuple[Charge, ...] = ()
    personal: Body = field(default_factory=lambda: WITHOUT_PERSONAL_DATA)
    status: str = "pending"
    payment_status: str = "unpaid"
    minutes_old: int = 0
    timeline: list[Body] = field(default_factory=list)
    money: Money = field(default_factory=Money)
    item_ids: tuple[str, ...] = ()
    minutes_to_live: int = MINUTES_TO_LIVE

    @property
    def total(self) -> Decimal:
        return total(self.line_items, self.charges)

    @property
    def version(self) -> OrderVersion:
        """What an ETag of the order stands for. An order never returns to a state that it left."""
        return self.status, self.payment_status, self.erasures, self.money.version

    @property
    def erasures(self) -> int:
        return [event["cause"] for event in self.timeline].count("erasure")

    def refusal(self, target: str, version: OrderVersion | None = None) -> Refusal | None:
        """The refusal that a change to this status with the ETag of a version gets, if any."""
        if self is NO_ORDER:
            return ORDER_NOT_FOUND
        if version not in (None, self.version):
            return STALE_ETAG
        if self.status != "pending" or target == "pending":
            return INVALID_TRANSITION
        return NUMBER_OUT_OF_RANGE if target == "canceled" and not self.can_return_stock() else None

    def units_to_return(self) -> list[tuple[Product, int]]:
        """The units that a cancellation gives back."""
        items = enumerate(self.line_items)
        return [(item.product, item.quantity - self.money.units_returned(number)) for number, item in items]

    def can_return_stock(self) -> bool:
        return all(product.quantity + units <= MAX_INTEGER for product, units in self.units_to_return())

    def change_status(self, target: str, cause: str = "status_change", **fields: Any) -> None:
        if target == "canceled":
            for product, units in self.units_to_return():
                product.move(units)
        self.status = target
        needs_refund = target == "canceled" and self.payment_status == "paid" and self.total > 0
        self.record(cause, outcome="needs_refund" if needs_refund else None, **fields)

    def is_unpaid(self) -> bool:
        return self.status == "pending" and self.payment_status != "paid"

    def is_due(self) -> bool:
        return self.is_unpaid() and self.minutes_old > self.minutes_to_live

    def record(self, cause: str, **fields: Any) -> None:
        """Add an event to the timeline. It starts where the previous event ended."""
        names = ("outcome", "reason", "idempotency_key", "payment_event_id", "note", "refund", "refund_status")
        empty = dict.fromkeys(names)
        before = self.timeline[-1]["to"] if self.timeline else None
        after = {"status": self.status, "payment_status": self.payment_status}
        actor = ACTORS.get(cause, "anonymous")
        self.timeline.append({"cause": cause, "actor": actor, "from": before, "to": after, **empty, **fields})

    def timeline_as_response(self) -> list[Body]:
        """The timeline with the IDs of refunds, which the model learns later."""
        ids = [{"refund_id": refund and refund.id} for event in self.timeline for refund in [event["refund"]]]
        return [
            {name: value for name, value in event.items() if name != "refund"} | id_
            for event, id_ in zip(self.timeline, ids, strict=True)
        ]

    def erase(self, *, had_texts: bool) -> None:
        """Erase the personal data. The timeline says so the first time, and when there was something to erase again.

        had_texts: whether an event had a body, or an acknowledgement a note.
        """
        texts = [*(event["note"] for event in self.timeline), *(refund.reason for refund in self.money.refunds)]
        for refund in self.money.refunds:
            refund.reason = None
        self.personal = WITHOUT_PERSONAL_DATA
        self.timeline = [{**event, "note": None} for event in self.timeline]
        if had_texts or any(texts) or not self.erasures:
            self.record("erasure")

    def as_response(self) -> Body:
        return {
            "id": self.id,
            "customer_id": self.customer_id,
            "status": self.status,
            "payment_status": self.payment_status,
            "number": self.number,
            "reference": self.reference,
            "charges": [charge.as_response() for charge in self.charges],
            "subtotal": str(total(self.line_items, ())),
            "total_price": str(self.total),
            "paid_amount": f"{self.money.paid:.2f}",
            "refunded_amount": f"{self.money.refunded:.2f}",
            "refund_status": self.money.refund_status,
            "order_items": [line_item.as_response() for line_item in self.line_items],
            **self.personal,
        }


NO_ORDER = Order(UNKNOWN, "no order", 1, [])


@dataclass(frozen=True)
class Tag:
    """An ETag that a product had at some time."""

    product: Product
    version: int
    etag: str = field(repr=False)


OrderTag = tuple[Order, OrderVersion, str]
"""An order, its version when it was read, and its ETag."""
