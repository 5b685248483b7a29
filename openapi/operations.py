"""What each route takes and answers, in one table. Who may use it is in storefront/routes.py."""

from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from openapi import responses
from openapi.events import PaymentEventBody
from storefront import errors
from storefront.errors import Problem
from storefront.idempotency.keys import KeyInFlight, KeyReused
from storefront.lists.parameters import CursorParameters, PageParameters
from storefront.orders.models import NewOrder, OrderListParameters, StatusChange
from storefront.orders.store import InvalidTransition, TotalTooLarge
from storefront.payments.models import PaymentEventListParameters, ReconciliationParameters
from storefront.payments.signatures import Unauthenticated
from storefront.payments.store import PaymentEventNotFound
from storefront.products.models import NewProduct, ProductChanges, ProductListParameters, StockAdjustment

TAGS = {
    "products": "What the shop sells, and its stock.",
    "orders": "Orders take stock and move from `pending` to `completed` or `canceled`.",
    "payments": "What the payment processor reports, and what came of it.",
    "description": "This description of the API.",
}

_ID = "$response.body#/id"
_PRODUCT_LINKS = {
    "get_product": {"id": _ID},
    "update_product": {"id": _ID},
    "adjust_stock": {"id": _ID},
    "delete_product": {"id": _ID},
}


@dataclass(frozen=True)
class Operation:
    """One route.

    id: the name that generated clients give it, for good. answer: a model, or a media type of what is no JSON.
    problems: the feature's own; what follows from what the route takes is added to them. links: the ids of operations
    that the answer leads to, with their parameters; a request body under the name "body".
    """

    id: str
    tag: str
    summary: str
    response: type[BaseModel] | str | None
    status: int = 200
    description: str = ""
    body: type[BaseModel] | Any = None
    parameters: type[CursorParameters] | None = None
    request_headers: tuple[str, ...] = ()
    response_headers: tuple[str, ...] = ()
    problems: tuple[type[Problem], ...] = ()
    links: dict[str, dict[str, Any]] = field(default_factory=dict)

    def all_problems(self) -> set[type[Problem]]:
        """The feature's own problems, and those of what it takes; not those of the token and of every route."""
        found = set(self.problems)
        if self.body is not None:
            found |= {errors.MalformedBody, errors.BodyTooLarge, errors.UnsupportedMediaType, errors.InvalidRequest}
        if self.parameters is not None:
            found |= {errors.InvalidRequest, errors.BadCursor, errors.PageTooLarge}
            if issubclass(self.parameters, PageParameters):
                found.add(errors.PageTooDeep)
        if "Idempotency-Key" in self.request_headers:
            found |= {errors.InvalidRequest, KeyInFlight, KeyReused}
        if "If-Match" in self.request_headers:
            found.add(errors.StaleETag)
        return found


_KEY = ("Idempotency-Key",)
_REPLAYED = ("Idempotent-Replayed",)

OPERATIONS: dict[tuple[str, str], Operation] = {
    ("POST", "/api/products"): Operation(
        "create_product",
        "products",
        "Creates a product",
        responses.Product,
        201,
        body=NewProduct,
        request_headers=_KEY,
        response_headers=("Location", "ETag", *_REPLAYED),
        links={
            **_PRODUCT_LINKS,
            "place_order": {"body": {"customer_id": 1, "products": [{"product_id": _ID, "quantity": 1}]}},
        },
    ),
    ("GET", "/api/products"): Operation(
        "list_products",
        "products",
        "Lists products, newest first if not sorted otherwise",
        responses.ProductPage,
        parameters=ProductListParameters,
        response_headers=("Link",),
    ),
    ("GET", "/api/products/{id}"): Operation(
        "get_product",
        "products",
        "Reads one product",
        responses.Product,
        request_headers=("If-None-Match",),
        response_headers=("ETag",),
        problems=(errors.ProductNotFound,),
    ),
    ("PUT", "/api/products/{id}"): Operation(
        "update_product",
        "products",
        "Changes the fields sent, at least one",
        responses.Product,
        body=ProductChanges,
        request_headers=("If-Match",),
        response_headers=("ETag",),
        problems=(errors.ProductNotFound, errors.NumberOutOfRange),
    ),
    ("DELETE", "/api/products/{id}"): Operation(
        "delete_product",
        "products",
        "Takes it off sale and out of every read; orders keep their lines",
        None,
        204,
        request_headers=("If-Match",),
        problems=(errors.ProductNotFound,),
    ),
    ("POST", "/api/products/{id}/stock-adjustments"): Operation(
        "adjust_stock",
        "products",
        "Adds a signed delta to the stock, with a reason",
        responses.StockMovement,
        201,
        body=StockAdjustment,
        request_headers=_KEY,
        response_headers=_REPLAYED,
        problems=(errors.ProductNotFound, errors.InsufficientStock, errors.NumberOutOfRange),
    ),
    ("POST", "/api/orders"): Operation(
        "place_order",
        "orders",
        "Places an order and takes its stock, all or nothing",
        responses.Order,
        201,
        description="Prices come from the catalogue. Lines that name the same product are added together.",
        body=NewOrder,
        request_headers=_KEY,
        response_headers=("Location", *_REPLAYED),
        problems=(errors.ProductNotFound, errors.InsufficientStock, TotalTooLarge),
        links={
            "get_order": {"id": _ID},
            "list_order_events": {"id": _ID},
            "change_order_status": {"id": _ID, "body": {"status": "canceled"}},
            "receive_payment_event": {"body": {"order_id": _ID, "payment_status": "paid"}},
        },
    ),
    ("GET", "/api/orders"): Operation(
        "list_orders",
        "orders",
        "Lists orders, newest first",
        responses.OrderPage,
        parameters=OrderListParameters,
        response_headers=("Link",),
    ),
    ("GET", "/api/orders/{id}"): Operation(
        "get_order",
        "orders",
        "Reads one order with its lines",
        responses.Order,
        problems=(errors.OrderNotFound,),
    ),
    ("PUT", "/api/orders/{id}/status"): Operation(
        "change_order_status",
        "orders",
        "Moves it from pending to completed or canceled; cancelling gives the stock back, once",
        responses.Order,
        body=StatusChange,
        problems=(errors.OrderNotFound, InvalidTransition, errors.NumberOutOfRange),
    ),
    ("GET", "/api/orders/{id}/events"): Operation(
        "list_order_events",
        "orders",
        "Reads its timeline, oldest first",
        responses.OrderEventPage,
        parameters=CursorParameters,
        response_headers=("Link",),
        problems=(errors.OrderNotFound,),
    ),
    ("POST", "/api/payment-webhook"): Operation(
        "receive_payment_event",
        "payments",
        "Takes a payment event, signed by the payment processor",
        responses.PaymentEventResponse,
        description=(
            "Each event has its effect once, however often it is sent. What it did is its `outcome`. An order that is"
            " not there is 404, so that the processor sends the event again."
        ),
        body=PaymentEventBody,
        problems=(errors.OrderNotFound, Unauthenticated),
    ),
    ("GET", "/api/payment-events"): Operation(
        "list_payment_events",
        "payments",
        "Lists the payment events that came, newest first",
        responses.PaymentEventPage,
        parameters=PaymentEventListParameters,
        response_headers=("Link",),
    ),
    ("POST", "/api/payment-events/{id}/replay"): Operation(
        "replay_payment_event",
        "payments",
        "Runs a stored event through again",
        responses.PaymentEventResponse,
        problems=(PaymentEventNotFound, errors.OrderNotFound),
    ),
    ("GET", "/api/reconciliation"): Operation(
        "reconcile",
        "payments",
        "Lists what does not add up, oldest first",
        responses.ReconciliationPage,
        description="Money without goods, and goods without money.",
        parameters=ReconciliationParameters,
        response_headers=("Link",),
    ),
    ("GET", "/docs"): Operation(
        "get_docs",
        "description",
        "Shows the API's description as a page, with a paragraph for each kind of problem",
        "text/html; charset=utf-8",
        request_headers=("If-None-Match",),
        response_headers=("ETag",),
    ),
    ("GET", "/openapi.json"): Operation(
        "get_openapi",
        "description",
        "Reads the API's description, this document",
        responses.Description,
        request_headers=("If-None-Match",),
        response_headers=("ETag",),
    ),
}
