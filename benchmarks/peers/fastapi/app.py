"""The stack of many tutorials: FastAPI, SQLAlchemy 2 and psycopg 3, behind Mangum."""

import hashlib
import os
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID, uuid4

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
from fastapi import Depends, FastAPI, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from mangum import Mangum
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from sqlalchemy import ColumnElement, FetchedValue, ForeignKey, Select, create_engine, func, select, tuple_
from sqlalchemy.dialects.postgresql import ENUM, JSONB, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload, sessionmaker

engine = create_engine(
    os.environ["DATABASE_URL"].replace("postgresql://", "postgresql+psycopg://"), pool_size=1, max_overflow=0
)
new_session = sessionmaker(engine, expire_on_commit=False)


# Database.

OrderStatus = ENUM("pending", "completed", "canceled", name="order_status", create_type=False)
PaymentStatus = ENUM("unpaid", "paid", "failed", name="payment_status", create_type=False)
RefundStatus = ENUM("none", "pending", "partial", "full", name="order_refund_status", create_type=False)
MovementKind = ENUM("opening", "sale", "restock", "adjustment", name="stock_movement_kind", create_type=False)
EventCause = ENUM("placed", "status_change", "payment_event", name="order_event_cause", create_type=False)
EventOutcome = ENUM(
    "applied", "duplicate", "ignored", "needs_refund", "needs_review", name="payment_event_outcome", create_type=False
)


class Base(DeclarativeBase):
    pass


class Product(Base):
    __tablename__ = "products"
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    sku: Mapped[str | None]
    name: Mapped[str]
    description: Mapped[str | None]
    price: Mapped[Decimal]
    quantity: Mapped[int]
    metadata_: Mapped[dict[str, str] | None] = mapped_column("metadata", JSONB(none_as_null=True))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    deleted_at: Mapped[datetime | None]


class OrderItem(Base):
    __tablename__ = "order_items"
    # A client-side default: with server-side defaults, SQLAlchemy would send each row separately.
    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    order_id: Mapped[UUID] = mapped_column(ForeignKey("orders.id"))
    product_id: Mapped[UUID]
    line_number: Mapped[int]
    sku: Mapped[str | None]
    product_name: Mapped[str]
    quantity: Mapped[int]
    price_at_purchase: Mapped[Decimal]


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    customer_id: Mapped[int]
    status: Mapped[str] = mapped_column(OrderStatus, server_default="pending")
    payment_status: Mapped[str] = mapped_column(PaymentStatus, server_default="unpaid")
    total_price: Mapped[Decimal]
    paid_amount: Mapped[Decimal] = mapped_column(server_default=FetchedValue())
    refunded_amount: Mapped[Decimal] = mapped_column(server_default=FetchedValue())
    refund_status: Mapped[str] = mapped_column(RefundStatus, server_default=FetchedValue())
    number: Mapped[int] = mapped_column(server_default=FetchedValue())
    reference: Mapped[str | None]
    currency: Mapped[str] = mapped_column(server_default=FetchedValue())
    charges: Mapped[list[dict[str, str]] | None] = mapped_column(JSONB(none_as_null=True))
    email: Mapped[str | None]
    shipping_address: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    billing_address: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    note: Mapped[str | None]
    metadata_: Mapped[dict[str, str] | None] = mapped_column("metadata", JSONB(none_as_null=True))
    expires_at: Mapped[datetime | None] = mapped_column(server_default=FetchedValue())
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now())
    order_items: Mapped[list[OrderItem]] = relationship(order_by=OrderItem.line_number)

    @property
    def shown_expiry(self) -> datetime | None:
        return self.expires_at if self.status == "pending" and self.payment_status != "paid" else None


class StockMovement(Base):
    __tablename__ = "stock_movements"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    product_id: Mapped[UUID]
    kind: Mapped[str] = mapped_column(MovementKind)
    delta: Mapped[int]
    order_id: Mapped[UUID | None]
    actor: Mapped[str]
    request_id: Mapped[str | None]


class OrderEvent(Base):
    __tablename__ = "order_events"
    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    order_id: Mapped[UUID]
    cause: Mapped[str] = mapped_column(EventCause)
    actor: Mapped[str]
    from_status: Mapped[str | None] = mapped_column(OrderStatus)
    from_payment_status: Mapped[str | None] = mapped_column(PaymentStatus)
    to_status: Mapped[str] = mapped_column(OrderStatus)
    to_payment_status: Mapped[str] = mapped_column(PaymentStatus)
    request_id: Mapped[str | None]
    payment_event_id: Mapped[str | None]
    inbox_id: Mapped[UUID | None]
    received_payment_status: Mapped[str | None] = mapped_column(PaymentStatus)
    outcome: Mapped[str | None]
    reason: Mapped[str | None]


class PaymentEvent(Base):
    __tablename__ = "payment_events"
    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.gen_random_uuid())
    scheme: Mapped[str]
    provider: Mapped[str]
    event_id: Mapped[str]
    variant: Mapped[int]
    order_id: Mapped[UUID | None]
    payment_status: Mapped[str | None] = mapped_column(PaymentStatus)
    amount: Mapped[Decimal | None]
    currency: Mapped[str | None]
    body: Mapped[str]
    outcome: Mapped[str] = mapped_column(EventOutcome)
    reason: Mapped[str | None]


# Responses.


class ResponseModel(BaseModel):
    model_config = ConfigDict(from_attributes=True)


Metadata = Annotated[dict[str, str], BeforeValidator(lambda value: value or {}), Field(validation_alias="metadata_")]


class ProductResponse(ResponseModel):
    id: UUID
    sku: str | None
    name: str
    description: str | None
    price: Decimal
    quantity: int
    metadata: Metadata
    created_at: datetime
    updated_at: datetime


class ProductPage(BaseModel):
    items: list[ProductResponse]
    total: int | None = None
    page: int | None = None
    page_size: int
    total_pages: int | None = None
    next_cursor: str | None


class OrderItemResponse(ResponseModel):
    id: UUID
    product_id: UUID
    sku: str | None
    product_name: str
    quantity: int
    price_at_purchase: Decimal


class OrderResponse(ResponseModel):
    id: UUID
    number: int
    reference: str | None
    customer_id: int
    status: str
    payment_status: str
    currency: str
    subtotal: Decimal = Field(validation_alias="total_price")
    charges: Annotated[list[dict[str, str]], BeforeValidator(lambda value: value or [])]
    total_price: Decimal
    paid_amount: Decimal
    refunded_amount: Decimal
    refund_status: str
    order_items: list[OrderItemResponse]
    email: str | None
    shipping_address: dict[str, str | None] | None
    billing_address: dict[str, str | None] | None
    note: str | None
    metadata: Metadata
    expires_at: datetime | None = Field(validation_alias="shown_expiry")
    created_at: datetime
    updated_at: datetime


class PaymentResponse(BaseModel):
    message: str
    order_id: UUID
    payment_status: str
    event_id: str
    outcome: str


# Routes.

app = FastAPI(openapi_url=None)


@app.exception_handler(Problem)
async def problem_response(_: Request, problem: Problem) -> JSONResponse:
    return JSONResponse(problem.body(), problem.status, media_type="application/problem+json")


@app.exception_handler(RequestValidationError)
async def validation_response(request: Request, error: RequestValidationError) -> JSONResponse:
    return await problem_response(request, validation_problem(list(error.errors())))


def session() -> Iterator[Session]:
    with new_session() as opened:
        yield opened


def token_claims(scope: str) -> Callable[[Request], dict[str, str]]:
    async def claims(request: Request) -> dict[str, str]:
        return require_scope(scope, request.scope["aws.event"]["requestContext"])

    return claims


def request_id(request: Request) -> str:
    return str(request.scope["aws.event"]["requestContext"]["requestId"])


Database = Annotated[Session, Depends(session)]


@app.post("/api/orders", status_code=201)
def place_order(
    body: NewOrder,
    request: Request,
    response: Response,
    database: Database,
    claims: Annotated[dict[str, str], Depends(token_claims("orders:write"))],
) -> OrderResponse:
    quantities: dict[UUID, int] = {}
    for item in body.products:
        quantities[item.product_id] = quantities.get(item.product_id, 0) + item.quantity
    products = {product.id: product for product in _lock_products(database, list(quantities))}
    _check(quantities, products)
    total = sum((products[id_].price * quantity for id_, quantity in quantities.items()), Decimal(0))
    if total > MAX_MONEY:
        raise Problem(422, "Order total too large")

    order, now = Order(customer_id=body.customer_id, total_price=total), datetime.now(UTC)
    for line_number, (id_, quantity) in enumerate(quantities.items(), 1):
        product = products[id_]
        product.quantity -= quantity
        product.updated_at = now
        order.order_items.append(
            OrderItem(
                product_id=id_,
                line_number=line_number,
                product_name=product.name,
                quantity=quantity,
                price_at_purchase=product.price,
            )
        )
    database.add(order)
    database.flush()
    common = {"order_id": order.id, "actor": claims["sub"], "request_id": request_id(request)}
    database.add_all(
        StockMovement(product_id=id_, kind="sale", delta=-quantity, **common) for id_, quantity in quantities.items()
    )
    database.add(OrderEvent(cause="placed", to_status="pending", to_payment_status="unpaid", **common))
    database.commit()
    response.headers["location"] = f"/api/orders/{order.id}"
    return OrderResponse.model_validate(order)


def _lock_products(database: Session, ids: list[UUID]) -> list[Product]:
    query = select(Product).where(Product.id.in_(ids), Product.deleted_at.is_(None)).order_by(Product.id)
    return list(database.scalars(query.with_for_update(key_share=True)))


def _check(quantities: dict[UUID, int], products: dict[UUID, Product]) -> None:
    unknown = [{"detail": f"Product {id_} not found"} for id_ in quantities if id_ not in products]
    if unknown:
        raise Problem(404, "Product not found", unknown)
    short = [
        {"detail": f"Insufficient stock for {products[id_].name}"}
        for id_, quantity in quantities.items()
        if products[id_].quantity < quantity
    ]
    if short:
        raise Problem(400, "Insufficient stock", short)


@app.get("/api/orders/{order_id}", dependencies=[Depends(token_claims("orders:read"))])
def get_order(order_id: UUID, database: Database) -> OrderResponse:
    order = database.get(Order, order_id, options=[selectinload(Order.order_items)])
    if order is None:
        raise Problem(404, "Order not found")
    return OrderResponse.model_validate(order)


@app.get("/api/products", response_model_exclude_unset=True)
def list_products(
    parameters: Annotated[ListParameters, Query()], request: Request, response: Response, database: Database
) -> ProductPage:
    conditions = list(_conditions(parameters))
    found = list(database.scalars(_page(parameters).where(*conditions)))
    products = found[: parameters.page_size]
    page: dict[str, Any] = {
        "items": [ProductResponse.model_validate(product) for product in products],
        "page_size": parameters.page_size,
        "next_cursor": None,
    }
    if len(found) > parameters.page_size:
        page["next_cursor"] = encode_cursor(parameters, getattr(products[-1], parameters.key), products[-1].id)
    if parameters.cursor is None:
        total = database.scalar(select(func.count()).select_from(Product).where(*conditions)) or 0
        page |= {"total": total, "page": parameters.page, "total_pages": -(-total // parameters.page_size)}
    response.headers["link"] = link_header(
        request.url.path, dict(request.query_params), parameters, page["next_cursor"], page.get("total_pages")
    )
    return ProductPage(**page)


def _page(parameters: ListParameters) -> Select[tuple[Product]]:
    columns = getattr(Product, parameters.key), Product.id
    # One more row shows whether another page follows.
    statement = select(Product).limit(parameters.page_size + 1)
    statement = statement.order_by(*(column.desc() if parameters.descending else column for column in columns))
    if parameters.cursor is None:
        return statement.offset((parameters.page - 1) * parameters.page_size)
    keys, position = tuple_(*columns), tuple_(*decode_cursor(parameters))
    return statement.where(keys < position if parameters.descending else keys > position)


def _conditions(parameters: ListParameters) -> Iterator[ColumnElement[bool]]:
    yield Product.deleted_at.is_(None)
    if parameters.in_stock is not None:
        yield Product.quantity > 0 if parameters.in_stock else Product.quantity == 0
    if parameters.q is not None:
        yield func.words(Product.name).bool_op("@>")(func.words(parameters.q))
    if parameters.min_price is not None:
        yield Product.price >= parameters.min_price
    if parameters.max_price is not None:
        yield Product.price <= parameters.max_price


async def authentic_body(request: Request) -> bytes:
    body = await request.body()
    authenticate(body, request.headers.get("x-signature", ""))
    return body


@app.post("/api/payment-webhook")
def receive_payment_event(
    request: Request, database: Database, body: Annotated[bytes, Depends(authentic_body)]
) -> PaymentResponse:
    event = PaymentEventBody.model_validate_json(body)
    order = database.get(Order, event.order_id, with_for_update={"key_share": True})
    if order is None:
        raise Problem(404, "Order not found")
    event_id = event.event_id or hashlib.sha256(body).hexdigest()
    before = order.payment_status
    outcome, reason = _decide(order, event)
    row = event.model_dump(exclude={"event_id"}) | {"event_id": event_id, "outcome": outcome, "reason": reason}
    statement = insert(PaymentEvent).values(
        scheme="x_signature", provider="storefront", variant=0, body=body.decode(), **row
    )
    inbox_id = database.scalar(statement.on_conflict_do_nothing().returning(PaymentEvent.id))
    if inbox_id is None:
        outcome, reason = "duplicate", "same_event"
    elif outcome == "applied":
        order.payment_status = event.payment_status
        order.updated_at = func.clock_timestamp()
    database.add(
        OrderEvent(
            order_id=order.id,
            cause="payment_event",
            actor="payment-processor",
            from_status=order.status,
            from_payment_status=before,
            to_status=order.status,
            to_payment_status=order.payment_status,
            request_id=request_id(request),
            payment_event_id=event_id,
            inbox_id=inbox_id or _inbox_id(database, event_id),
            received_payment_status=event.payment_status,
            outcome=outcome,
            reason=reason,
        )
    )
    database.commit()
    return PaymentResponse(
        message="Payment status updated successfully" if outcome == "applied" else "The payment event changed nothing",
        order_id=order.id,
        payment_status=order.payment_status,
        event_id=event_id,
        outcome=outcome,
    )


def _decide(order: Order, event: PaymentEventBody) -> tuple[str, str | None]:  # noqa: PLR0911  one for each rule
    if event.payment_status == "failed" and order.payment_status == "paid":
        return "ignored", "order_paid"
    if order.status == "canceled" and order.payment_status != "paid":
        return "needs_refund", "order_canceled"
    if event.amount is not None and event.amount != order.total_price:
        return "needs_review", "amount_differs"
    if event.currency is not None and event.currency.upper() != os.environ["CURRENCY"]:
        return "needs_review", "currency_differs"
    if event.payment_status == order.payment_status:
        return "duplicate", "same_status"
    if order.status == "completed":
        return "needs_review", "order_completed"
    return "applied", None


def _inbox_id(database: Session, event_id: str) -> UUID | None:
    return database.scalar(
        select(PaymentEvent.id).where(PaymentEvent.event_id == event_id, PaymentEvent.scheme == "x_signature")
    )


handle = Mangum(app, lifespan="off")


def lambda_handler(event: dict[str, Any], context: Any) -> Any:
    started = time.perf_counter()
    response = handle(event, context)
    log_request(event, context, response["statusCode"], started)
    return response
