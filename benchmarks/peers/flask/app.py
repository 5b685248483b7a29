"""A lightweight stack: Flask and psycopg2 with handwritten SQL, behind apig-wsgi."""

import hashlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import psycopg2
from apig_wsgi import make_lambda_handler
from common import (
    MAX_MONEY,
    ListParameters,
    NewOrder,
    PaymentEventBody,
    Problem,
    authenticate,
    decode_cursor,
    encode_cursor,
    link_header,
    log_request,
    require_scope,
    validation_problem,
)
from flask import Flask, Response, request
from psycopg2.extras import RealDictCursor, execute_values
from pydantic import ValidationError

_connection = None


@contextmanager
def transaction() -> Iterator[RealDictCursor]:
    global _connection  # noqa: PLW0603  one for each execution environment
    if _connection is None or _connection.closed:
        _connection = psycopg2.connect(os.environ["DATABASE_URL"], cursor_factory=RealDictCursor)
    with _connection, _connection.cursor() as cursor:
        yield cursor


app = Flask(__name__)


@app.errorhandler(Problem)
def problem_response(problem: Problem) -> Response:
    return Response(json.dumps(problem.body()), problem.status, content_type="application/problem+json")


@app.errorhandler(ValidationError)
def validation_response(error: ValidationError) -> Response:
    return problem_response(validation_problem(list(error.errors())))


def token_claims(scope: str) -> dict[str, str]:
    return require_scope(scope, request.environ["apig_wsgi.full_event"]["requestContext"])


def request_id() -> str:
    return str(request.environ["apig_wsgi.full_event"]["requestContext"]["requestId"])


def json_response(body: dict[str, Any], status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(body, default=_json), status, headers, content_type="application/json")


def _json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


ORDER_COLUMNS = (
    "id, number, reference, customer_id, status, payment_status, currency, charges, total_price, paid_amount,"
    " refunded_amount, refund_status, email,"
    " shipping_address, billing_address, note, metadata, expires_at, created_at, updated_at"
)


@app.post("/api/orders")
def place_order() -> Response:
    claims = token_claims("orders:write")
    body = NewOrder.model_validate_json(request.get_data())
    quantities: dict[str, int] = {}
    for item in body.products:
        quantities[str(item.product_id)] = quantities.get(str(item.product_id), 0) + item.quantity
    with transaction() as cursor:
        cursor.execute(
            "SELECT id, name, price, quantity FROM products WHERE id = ANY (%s::uuid[]) AND deleted_at IS NULL"
            " ORDER BY id FOR NO KEY UPDATE",
            (list(quantities),),
        )
        products = {row["id"]: row for row in cursor.fetchall()}
        _check(quantities, products)
        total = sum((products[id_]["price"] * quantity for id_, quantity in quantities.items()), Decimal(0))
        if total > MAX_MONEY:
            raise Problem(422, "Order total too large")
        order = _store(cursor, body.customer_id, total, quantities, products, claims["sub"])
    return json_response(order, 201, location=f"/api/orders/{order['id']}")


def _check(quantities: dict[str, int], products: dict[str, Any]) -> None:
    unknown = [{"detail": f"Product {id_} not found"} for id_ in quantities if id_ not in products]
    if unknown:
        raise Problem(404, "Product not found", unknown)
    short = [
        {"detail": f"Insufficient stock for {products[id_]['name']}"}
        for id_, quantity in quantities.items()
        if products[id_]["quantity"] < quantity
    ]
    if short:
        raise Problem(400, "Insufficient stock", short)


def _store(
    cursor: RealDictCursor,
    customer_id: int,
    total: Decimal,
    quantities: dict[str, int],
    products: dict[str, Any],
    actor: str,
) -> dict[str, Any]:
    execute_values(
        cursor,
        "UPDATE products p SET quantity = p.quantity - l.quantity, updated_at = clock_timestamp()"
        " FROM (VALUES %s) AS l (product_id, quantity) WHERE p.id = l.product_id::uuid",
        list(quantities.items()),
    )
    cursor.execute(
        f"INSERT INTO orders (customer_id, total_price) VALUES (%s, %s) RETURNING {ORDER_COLUMNS}",
        (customer_id, total),
    )
    order = dict(cursor.fetchone())
    items = execute_values(
        cursor,
        "INSERT INTO order_items (order_id, product_id, line_number, product_name, quantity, price_at_purchase)"
        " VALUES %s RETURNING id, product_id, sku, product_name, quantity, price_at_purchase",
        [
            (order["id"], id_, number, products[id_]["name"], quantity, products[id_]["price"])
            for number, (id_, quantity) in enumerate(quantities.items(), 1)
        ],
        fetch=True,
    )
    execute_values(
        cursor,
        "INSERT INTO stock_movements (product_id, kind, delta, order_id, actor, request_id) VALUES %s",
        [(id_, "sale", -quantity, order["id"], actor, request_id()) for id_, quantity in quantities.items()],
    )
    cursor.execute(
        "INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status, request_id)"
        " VALUES (%s, 'placed', %s, 'pending', 'unpaid', %s)",
        (order["id"], actor, request_id()),
    )
    return _order(order, items)


def _order(row: dict[str, Any], items: list[Any]) -> dict[str, Any]:
    expires = row["status"] == "pending" and row["payment_status"] != "paid"
    filled = {"subtotal": row["total_price"], "charges": row["charges"] or [], "metadata": row["metadata"] or {}}
    return {**row, **filled, "expires_at": row["expires_at"] if expires else None, "order_items": items}


@app.get("/api/orders/<uuid:order_id>")
def get_order(order_id: UUID) -> Response:
    token_claims("orders:read")
    with transaction() as cursor:
        cursor.execute(
            f"SELECT {ORDER_COLUMNS} FROM orders WHERE id = %s",
            (str(order_id),),
        )
        order = cursor.fetchone()
        if order is None:
            raise Problem(404, "Order not found")
        cursor.execute(
            "SELECT id, product_id, sku, product_name, quantity, price_at_purchase"
            " FROM order_items WHERE order_id = %s ORDER BY line_number",
            (str(order_id),),
        )
        return json_response(_order(order, cursor.fetchall()))


@app.get("/api/products")
def list_products() -> Response:
    parameters = ListParameters.model_validate(request.args.to_dict())
    condition, values = _condition(parameters)
    body: dict[str, Any] = {"page_size": parameters.page_size, "next_cursor": None}
    with transaction() as cursor:
        found = _rows(cursor, parameters, condition, values)
        if parameters.cursor is None:
            cursor.execute(f"SELECT count(*) AS total FROM products WHERE {condition}", values)
            total = cursor.fetchone()["total"]
            body |= {"total": total, "page": parameters.page, "total_pages": -(-total // parameters.page_size)}
    items = found[: parameters.page_size]
    if len(found) > parameters.page_size:
        body["next_cursor"] = encode_cursor(parameters, items[-1][parameters.key], items[-1]["id"])
    links = link_header(request.path, request.args.to_dict(), parameters, body["next_cursor"], body.get("total_pages"))
    return json_response({"items": items, **body}, link=links)


def _condition(parameters: ListParameters) -> tuple[str, list[Any]]:
    in_stock = None if parameters.in_stock is None else "quantity > 0" if parameters.in_stock else "quantity = 0"
    parts = ["deleted_at IS NULL", *filter(None, [in_stock])]
    conditions = {
        "words(name) @> words(%s)": parameters.q,
        "price >= %s": parameters.min_price,
        "price <= %s": parameters.max_price,
    }
    given = {condition: value for condition, value in conditions.items() if value is not None}
    return " AND ".join([*parts, *given]), list(given.values())


def _rows(
    cursor: RealDictCursor, parameters: ListParameters, condition: str, values: list[Any]
) -> list[dict[str, Any]]:
    direction = " DESC" if parameters.descending else ""
    offset = (parameters.page - 1) * parameters.page_size
    if parameters.cursor is not None:
        key, id_ = decode_cursor(parameters)
        condition += f" AND ({parameters.key}, id) {'<' if parameters.descending else '>'} (%s, %s)"
        values, offset = [*values, key, str(id_)], 0
    # One more row shows whether another page follows.
    cursor.execute(
        "SELECT id, sku, name, description, price, quantity, coalesce(metadata, '{}') AS metadata,"
        " created_at, updated_at"
        f" FROM products WHERE {condition} ORDER BY {parameters.key}{direction}, id{direction} LIMIT %s OFFSET %s",
        (*values, parameters.page_size + 1, offset),
    )
    return list(cursor.fetchall())


@app.post("/api/payment-webhook")
def receive_payment_event() -> Response:
    body = request.get_data()
    authenticate(body, request.headers.get("x-signature", ""))
    event = PaymentEventBody.model_validate_json(body)
    event_id = event.event_id or hashlib.sha256(body).hexdigest()
    with transaction() as cursor:
        cursor.execute(
            "SELECT id, status, payment_status, total_price FROM orders WHERE id = %s FOR NO KEY UPDATE",
            (str(event.order_id),),
        )
        order = cursor.fetchone()
        if order is None:
            raise Problem(404, "Order not found")
        outcome, payment_status = _apply(cursor, order, event, event_id, body)
    return json_response(
        {
            "message": "Payment status updated successfully"
            if outcome == "applied"
            else "The payment event changed nothing",
            "order_id": event.order_id,
            "payment_status": payment_status,
            "event_id": event_id,
            "outcome": outcome,
        }
    )


def _apply(
    cursor: RealDictCursor, order: dict[str, Any], event: PaymentEventBody, event_id: str, body: bytes
) -> tuple[str, str]:
    outcome, reason = _decide(order, event)
    cursor.execute(
        "INSERT INTO payment_events (scheme, provider, event_id, order_id, payment_status, amount, currency, body,"
        " outcome, reason) VALUES ('x_signature', 'storefront', %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING id",
        (event_id, order["id"], event.payment_status, event.amount, event.currency, body.decode(), outcome, reason),
    )
    stored = cursor.fetchone()
    payment_status = order["payment_status"]
    if stored is None:
        outcome, reason = "duplicate", "same_event"
        cursor.execute("SELECT id FROM payment_events WHERE event_id = %s AND scheme = 'x_signature'", (event_id,))
        stored = cursor.fetchone()
    elif outcome == "applied":
        payment_status = event.payment_status
        cursor.execute(
            "UPDATE orders SET payment_status = %s, updated_at = clock_timestamp() WHERE id = %s",
            (payment_status, order["id"]),
        )
    cursor.execute(
        "INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status,"
        " to_payment_status, request_id, payment_event_id, inbox_id, received_payment_status, outcome, reason)"
        " VALUES (%s, 'payment_event', 'payment-processor', %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            *(order["id"], order["status"], order["payment_status"], order["status"], payment_status),
            *(request_id(), event_id, stored["id"], event.payment_status, outcome, reason),
        ),
    )
    return outcome, payment_status


def _decide(order: dict[str, Any], event: PaymentEventBody) -> tuple[str, str | None]:  # noqa: PLR0911  one for each rule
    if event.payment_status == "failed" and order["payment_status"] == "paid":
        return "ignored", "order_paid"
    if order["status"] == "canceled" and order["payment_status"] != "paid":
        return "needs_refund", "order_canceled"
    if event.amount is not None and event.amount != order["total_price"]:
        return "needs_review", "amount_differs"
    if event.currency is not None and event.currency.upper() != os.environ["CURRENCY"]:
        return "needs_review", "currency_differs"
    if event.payment_status == order["payment_status"]:
        return "duplicate", "same_status"
    if order["status"] == "completed":
        return "needs_review", "order_completed"
    return "applied", None


handle = make_lambda_handler(app)


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    started = time.perf_counter()
    response = handle(event, context)
    log_request(event, context, response["statusCode"], started)
    return response
