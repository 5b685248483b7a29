"""Every kind of problem, with its description and an example."""

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import storefront
from openapi.responses import MOMENT, ORDER_ID, PAYMENT_EVENT_ID, PRODUCT_ID, REFUND_ID
from storefront import access, errors
from storefront.errors import Problem
from storefront.orders import store as orders
from storefront.payments import signatures
from storefront.payments import store as payments
from storefront.reconciliation import store as reconciliation
from storefront.refunds import store as refunds

_SHORT = "Insufficient stock for Enamel Mug"
_UNITS = "3 requested, 2 ordered"
_PAYMENTS: list[dict[str, Any]] = [
    {
        "id": id_,
        "order_id": ORDER_ID,
        "reference": reference,
        "amount": "29.00",
        "currency": "USD",
        "refunded_amount": "0.00",
        "amount_left": "29.00",
        "reason": reason,
        "disputes": [],
        "received_at": MOMENT,
    }
    for id_, reference, reason in (
        (PAYMENT_EVENT_ID, "pi_1Example", None),
        ("c0000000-0000-4000-8000-000000000002", "pi_2Example", "paid_twice"),
    )
]
_NEGATIVE = "Input should be greater than or equal to 0"


def every_problem() -> list[type[Problem]]:
    """Return one class for each kind in the layer, by status and kind."""
    package = Path(storefront.__path__[0])
    for path in package.rglob("*.py"):
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        importlib.import_module(name.removesuffix(".__init__"))
    kinds: dict[str, type[Problem]] = {}
    bases = [Problem]
    while bases:
        subclasses = [kind for kind in bases.pop().__subclasses__() if kind.__module__.startswith("storefront.")]
        bases.extend(subclasses)
        # A base comes before its subclasses, and has the description for clients.
        for kind in subclasses:
            kinds.setdefault(kind.kind, kind)
    return sorted(kinds.values(), key=lambda kind: (kind.status, kind.kind))


EXAMPLES: tuple[Problem, ...] = (
    # Those whose detail or members depend on the request. The others need no entry.
    errors.MalformedBody("Invalid JSON: EOF while parsing an object at line 1 column 1"),
    errors.InsufficientStock(
        _SHORT,
        errors=[
            {
                "detail": f"{_SHORT}: 3 requested, 1 available",
                "pointer": "#/products/0/quantity",
                "product_id": PRODUCT_ID,
                "product_name": "Enamel Mug",
                "requested": 3,
                "available": 1,
            }
        ],
    ),
    orders.InvalidTransition("canceled", "completed"),
    signatures.InvalidSignature("not in the response"),
    access.InsufficientScope("orders:write"),
    errors.ProductNotFound(PRODUCT_ID, pointers=["#/products/0/product_id"]),
    errors.OrderNotFound(ORDER_ID),
    payments.PaymentEventNotFound(PAYMENT_EVENT_ID),
    refunds.PaymentNotFound(PAYMENT_EVENT_ID),
    refunds.OrderItemNotFound(
        f"Line item {PRODUCT_ID} not found",
        errors=[{"detail": f"Line item {PRODUCT_ID} not found", "pointer": "#/lines/0/order_item_id"}],
    ),
    refunds.RefundNotFound(REFUND_ID),
    refunds.RefundConflict("canceled", "pending"),
    refunds.RefundTooLarge("30.00", "29.00"),
    refunds.SeveralPayments(members={"payments": _PAYMENTS}),
    refunds.TooManyUnits(
        "A line item has too many units.", errors=[{"detail": _UNITS, "pointer": "#/lines/0/quantity"}]
    ),
    reconciliation.ReconciliationEntryNotFound("paid_twice", PAYMENT_EVENT_ID),
    errors.MethodNotAllowed("GET, POST"),
    errors.BodyTooLarge("The body has 300000 bytes. The maximum is 262144."),
    errors.InvalidRequest(f"#/quantity: {_NEGATIVE}", errors=[{"detail": _NEGATIVE, "pointer": "#/quantity"}]),
    payments.UnreadablePaymentEvent("payment_status: Input should be 'paid' or 'failed'"),
    orders.OrderLimit({"limit": "order_units", "maximum": 20, "requested": 1000}),
    orders.CustomerLimit({"limit": "customer_orders", "maximum": 5, "held": 5, "retry_after": 600}),
    orders.TotalChanged("31.00"),
    orders.TotalTooLarge("100000000.00"),
    orders.TotalTooSmall("-1.00"),
    orders.ReferenceTaken(ORDER_ID),
    errors.PageTooDeep(1_000),
    errors.PreconditionNotSupported("If-Match"),
    errors.InternalError("0d1f6a5e-51c3-4f0e-8a73-62a6b1b0c4d2"),
    errors.Unavailable("The database is unreachable."),
    *(kind() for kind in every_problem() if kind.default_detail),
)


def example(kind: type[Problem]) -> Any:
    """Return the body of a problem of a kind."""
    return next(json.loads(one.body()) for one in EXAMPLES if one.kind == kind.kind)


def description(kind: type[Problem]) -> str:
    """Return the first paragraph of a kind's docstring, in one line."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())
