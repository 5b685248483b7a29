"""A lighter stack: Flask and psycopg2 with SQL by hand, behind apig-wsgi."""

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
    Problem,
    SentPayment,
    authenticate,
    broken_rules,
    claims_with,
    cursor_after,
    link_header,
    log_request,
    position_of,
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
def tell_problem(problem: Problem) -> Response:
    return Response(json.dumps(problem.body()), problem.status, content_type="application/problem+json")


@app.errorhandler(ValidationError)
def tell_broken_rules(error: ValidationError) -> Response:
    return tell_problem(broken_rules(list(error.errors())))


def token_with(scope: str) -> dict[str, str]:
    return claims_with(scope, request.environ["apig_wsgi.full_event"]["requestContext"])


def request_id() -> str:
    return str(request.environ["apig_wsgi.full_event"]["requestContext"]["requestId"])


def answer(body: dict[str, Any], status: int = 200, **headers: str) -> Response:
    return Response(json.dumps(body, default=_json), status, headers, content_type="application/json")


def _json(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return str(value)


@app.post("/api/orders")
def place_order() -> Response:
    claims = token_with("orders:write")
    sent = NewOrder.model_validate_json(request.get_data())
    wanted: dict[str, int] = {}
    for line in sent.products:
        wanted[str(line.product_id)] = wanted.get(str(line.product_id), 0) + line.quantity
    with transaction() as cursor:
        cursor.execute(
            "SELECT id, name, price, quantity FROM products WHERE id = ANY (%s::uuid[]) AND deleted_at IS NULL"
            " ORDER BY id FOR NO KEY UPDATE",
            (list(wanted),),
        )
        products = {row["id"]: row for row in cursor.fetchall()}
        _check(wanted, products)
        total = sum((products[id_]["price"] * quantity for id_, quantity in wanted.items()), Decimal(0))
        if total > MAX_MONEY:
            raise Problem(422, "The order's total is too large")
        order = _store(cursor, sent.customer_id, total, wanted, products, claims["sub"])
    return answer(order, 201, location=f"/api/orders/{order['id']}")


def _check(wanted: dict[str, int], products: dict[str, Any]) -> None:
    unknown = [{"detail": f"Product {id_} not found"} for id_ in wanted if id_ not in products]
    if unknown:
        raise Problem(404, "No such product", unknown)
    short = [
        {"detail": f"Insufficient stock for {products[id_]['name']}"}
        for id_, quantity in wanted.items()
        if products[id_]["quantity"] < quantity
    ]
    if short:
        raise Problem(400, "Insufficient stock", short)


def _store(
    cursor: RealDictCursor,
    customer_id: int,
    total: Decimal,
    wanted: dict[str, int],
    products: dict[str, Any],
    actor: str,
) -> dict[str, Any]:
    execute_values(
        cursor,
        "UPDATE products p SET quantity = p.quantity - l.quantity, updated_at = clock_timestamp()"
        " FROM (VALUES %s) AS l (product_id, quantity) WHERE p.id = l.product_id::uuid",
        list(wanted.items()),
    )
    cursor.execute(
        "INSERT INTO orders (customer_id, total_price) VALUES (%s, %s)"
        " RETURNING id, customer_id, status, payment_status, total_price, created_at, updated_at",
        (customer_id, total),
    )
    order = dict(cursor.fetchone())
    items = execute_values(
        cursor,
        "INSERT INTO order_items (order_id, product_id, line_number, product_name, quantity, price_at_purchase)"
        " VALUES %s RETURNING id, product_id, product_name, quantity, price_at_purchase",
        [
            (order["id"], id_, number, products[id_]["name"], quantity, products[id_]["price"])
            for number, (id_, quantity) in enumerate(wanted.items(), 1)
        ],
        fetch=True,
    )
    execute_values(
        cursor,
        "INSERT INTO stock_movements (product_id, kind, delta, order_id, actor, request_id) VALUES %s",
        [(id_, "sale", -quantity, order["id"], actor, request_id()) for id_, quantity in wanted.items()],
    )
    cursor.execute(
        "INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status, request_id)"
        " VALUES (%s, 'placed', %s, 'pending', 'unpaid', %s)",
        (order["id"], actor, request_id()),
    )
    return {**order, "order_items": items}


@app.get("/api/orders/<uuid:order_id>")
def get_order(order_id: UUID) -> Response:
    token_with("orders:read")
    with transaction() as cursor:
        cursor.execute(
            "SELECT id, customer_id, status, payment_status, total_price, created_at, updated_at"
            " FROM orders WHERE id = %s",
            (str(order_id),),
        )
        order = cursor.fetchone()
        if order is None:
            raise Problem(404, "No such order")
        cursor.execute(
            "SELECT id, product_id, product_name, quantity, price_at_purchase"
            " FROM order_items WHERE order_id = %s ORDER BY line_number",
            (str(order_id),),
        )
        return answer({**order, "order_items": cursor.fetchall()})


@app.get("/api/products")
def list_products() -> Response:
    asked = ListParameters.model_validate(request.args.to_dict())
    condition, values = _condition(asked)
    body: dict[str, Any] = {"page_size": asked.page_size, "next_cursor": None}
    with transaction() as cursor:
        found = _rows(cursor, asked, condition, values)
        if asked.cursor is None:
            cursor.execute(f"SELECT count(*) AS total FROM products WHERE {condition}", values)
            total = cursor.fetchone()["total"]
            body |= {"total": total, "page": asked.page, "total_pages": -(-total // asked.page_size)}
    items = found[: asked.page_size]
    if len(found) > asked.page_size:
        body["next_cursor"] = cursor_after(asked, items[-1][asked.key], items[-1]["id"])
    links = link_header(request.path, request.args.to_dict(), asked, body["next_cursor"], body.get("total_pages"))
    return answer({"items": items, **body}, link=links)


def _condition(asked: ListParameters) -> tuple[str, list[Any]]:
    in_stock = None if asked.in_stock is None else "quantity > 0" if asked.in_stock else "quantity = 0"
    parts = ["deleted_at IS NULL", *filter(None, [in_stock])]
    conditions = {"words(name) @> words(%s)": asked.q, "price >= %s": asked.min_price, "price <= %s": asked.max_price}
    given = {condition: value for condition, value in conditions.items() if value is not None}
    return " AND ".join([*parts, *given]), list(given.values())


def _rows(cursor: RealDictCursor, asked: ListParameters, condition: str, values: list[Any]) -> list[dict[str, Any]]:
    direction = " DESC" if asked.downwards else ""
    skipped = (asked.page - 1) * asked.page_size
    if asked.cursor is not None:
        key, id_ = position_of(asked)
        condition += f" AND ({asked.key}, id) {'<' if asked.downwards else '>'} (%s, %s)"
        values, skipped = [*values, key, str(id_)], 0
    # One more than the page has tells whether anything follows.
    cursor.execute(
        "SELECT id, name, description, price, quantity, created_at, updated_at"
        f" FROM products WHERE {condition} ORDER BY {asked.key}{direction}, id{direction} LIMIT %s OFFSET %s",
        (*values, asked.page_size + 1, skipped),
    )
    return list(cursor.fetchall())


@app.post("/api/payment-webhook")
def receive_payment_event() -> Response:
    body = request.get_data()
    authenticate(body, request.headers.get("x-signature", ""))
    sent = SentPayment.model_validate_json(body)
    event_id = sent.event_id or hashlib.sha256(body).hexdigest()
    with transaction() as cursor:
        cursor.execute(
            "SELECT id, status, payment_status, total_price FROM orders WHERE id = %s FOR NO KEY UPDATE",
            (str(sent.order_id),),
        )
        order = cursor.fetchone()
        if order is None:
            raise Problem(404, "No such order")
        outcome, payment_status = _apply(cursor, order, sent, event_id, body)
    return answer(
        {
            "message": "Payment status updated successfully" if outcome == "applied" else "It changed nothing",
            "order_id": sent.order_id,
            "payment_status": payment_status,
            "event_id": event_id,
            "outcome": outcome,
        }
    )


def _apply(
    cursor: RealDictCursor, order: dict[str, Any], sent: SentPayment, event_id: str, body: bytes
) -> tuple[str, str]:
    outcome, reason = _decide(order, sent)
    cursor.execute(
        "INSERT INTO payment_events (scheme, provider, event_id, order_id, payment_status, amount, currency, body,"
        " outcome, reason) VALUES ('x_signature', 'storefront', %s, %s, %s, %s, %s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING RETURNING id",
        (event_id, order["id"], sent.payment_status, sent.amount, sent.currency, body.decode(), outcome, reason),
    )
    kept = cursor.fetchone()
    payment_status = order["payment_status"]
    if kept is None:
        outcome, reason = "duplicate", "same_event"
        cursor.execute("SELECT id FROM payment_events WHERE event_id = %s AND scheme = 'x_signature'", (event_id,))
        kept = cursor.fetchone()
    elif outcome == "applied":
        payment_status = sent.payment_status
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
            *(request_id(), event_id, kept["id"], sent.payment_status, outcome, reason),
        ),
    )
    return outcome, payment_status


def _decide(order: dict[str, Any], sent: SentPayment) -> tuple[str, str | None]:  # noqa: PLR0911  the rules, one by one
    if sent.payment_status == "failed" and order["payment_status"] == "paid":
        return "ignored", "order_paid"
    if order["status"] == "canceled" and order["payment_status"] != "paid":
        return "needs_refund", "order_canceled"
    if sent.amount is not None and sent.amount != order["total_price"]:
        return "needs_review", "amount_differs"
    if sent.currency is not None and sent.currency.upper() != os.environ["CURRENCY"]:
        return "needs_review", "currency_differs"
    if sent.payment_status == order["payment_status"]:
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
