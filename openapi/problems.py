"""Every kind of problem, what it means and an example of it."""

import importlib
import inspect
import json
from pathlib import Path
from typing import Any

import storefront
from openapi.responses import ORDER_ID, PAYMENT_EVENT_ID, PRODUCT_ID
from storefront import access, errors
from storefront.errors import Problem
from storefront.idempotency import keys
from storefront.orders import store as orders
from storefront.payments import signatures
from storefront.payments import store as payments

_SHORT = "Insufficient stock for Enamel Mug"
_NO_PRODUCT = f"There is no product {PRODUCT_ID}."
_NEGATIVE = "Input should be greater than or equal to 0"

EXAMPLES: tuple[Problem, ...] = (
    errors.MalformedBody("Invalid JSON: EOF while parsing an object at line 1 column 1"),
    errors.BadCursor("The cursor was changed, or made for another list, filter or order; begin again without it."),
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
    orders.InvalidTransition("Cannot transition from canceled to completed"),
    errors.PageTooDeep("Pages reach 100000 rows deep; go on with the cursor of a page's next_cursor."),
    errors.PageTooLarge("The page is larger than an answer can be; ask for a smaller page_size."),
    signatures.InvalidSignature("not told"),
    access.TokenMissing(),
    access.Forbidden(
        "This route asks for a token with the scope orders:write.",
        headers={"WWW-Authenticate": 'Bearer error="insufficient_scope", scope="orders:write"'},
    ),
    errors.RouteNotFound("There is no such path."),
    errors.ProductNotFound(_NO_PRODUCT, errors=[{"detail": _NO_PRODUCT, "pointer": "#/products/0/product_id"}]),
    errors.OrderNotFound(f"There is no order {ORDER_ID}."),
    payments.PaymentEventNotFound(f"There is no payment event {PAYMENT_EVENT_ID}."),
    errors.MethodNotAllowed("This path takes GET, POST."),
    keys.KeyInFlight(
        "The first request with this Idempotency-Key still runs; send it again for its answer.",
        headers={"Retry-After": errors.RETRY_AFTER_SECONDS},
    ),
    errors.StaleETag("The product has none of the ETags in If-Match, sent with their quotes; read it again."),
    errors.BodyTooLarge("The body has 300000 bytes; at most 262144 are taken."),
    errors.UnsupportedMediaType("The body should come with Content-Type: application/json."),
    keys.KeyReused("The Idempotency-Key came with another content before; send this under a new key."),
    errors.InvalidRequest(f"#/quantity: {_NEGATIVE}", errors=[{"detail": _NEGATIVE, "pointer": "#/quantity"}]),
    orders.TotalTooLarge("The order comes to 100000000.00; no order can come to more than 99999999.99."),
    errors.NumberOutOfRange("The stock would be more than 2147483647."),
    errors.InternalError("The cause is in our log, under the request id 0d1f6a5e-51c3-4f0e-8a73-62a6b1b0c4d2."),
    errors.Unavailable("The database cannot be reached."),
)


def example(kind: type[Problem]) -> Any:
    """The body of a problem of a kind."""
    return next(json.loads(one.body()) for one in EXAMPLES if one.kind == kind.kind)


def description(kind: type[Problem]) -> str:
    """When it happens: the first paragraph of its docstring, or of its base's."""
    return " ".join((inspect.getdoc(kind) or "").partition("\n\n")[0].split())


def every_problem() -> list[type[Problem]]:
    """One class for each kind that the code knows, by status and kind."""
    package = Path(storefront.__path__[0])
    for path in package.rglob("*.py"):
        name = ".".join(path.relative_to(package.parent).with_suffix("").parts)
        importlib.import_module(name.removesuffix(".__init__"))
    found: dict[str, type[Problem]] = {}
    waiting = [Problem]
    while waiting:
        kinds = [kind for kind in waiting.pop().__subclasses__() if kind.__module__.startswith("storefront.")]
        waiting.extend(kinds)
        # A base comes before what is derived from it, and has the words for clients.
        for kind in kinds:
            found.setdefault(kind.kind, kind)
    return sorted(found.values(), key=lambda kind: (kind.status, kind.kind))
