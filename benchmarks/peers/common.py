"""Code that both peers share: request models, access checks, cursors, links and logs."""

import base64
import hashlib
import hmac
import json
import logging
import os
import time
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

MAX_INTEGER = 2_147_483_647
MAX_MONEY = Decimal("99999999.99")

PositiveInteger = Annotated[int, Field(ge=1, le=MAX_INTEGER, strict=True)]


class Problem(Exception):  # noqa: N818  the name in RFC 9457
    def __init__(self, status: int, title: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.errors = status, title, errors

    def body(self) -> dict[str, Any]:
        return {"type": "about:blank", "title": self.title, "status": self.status, "errors": self.errors}


class RequestModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewOrderItem(RequestModel):
    product_id: UUID
    quantity: PositiveInteger


class NewOrder(RequestModel):
    customer_id: PositiveInteger
    products: Annotated[list[NewOrderItem], Field(min_length=1, max_length=100)]


class ListParameters(RequestModel):
    page: Annotated[int, Field(ge=1)] = 1
    page_size: Annotated[int, Field(ge=1, le=100)] = 20
    in_stock: bool | None = None
    q: Annotated[str, Field(max_length=255)] | None = None
    min_price: Decimal | None = None
    max_price: Decimal | None = None
    sort: Literal["created_at", "-created_at", "name", "-name", "price", "-price", "quantity", "-quantity"] = (
        "-created_at"
    )
    cursor: str | None = None

    @property
    def key(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def descending(self) -> bool:
        return self.sort.startswith("-")


class PaymentEventBody(BaseModel):
    order_id: UUID
    payment_status: Literal["paid", "failed"]
    event_id: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    amount: Decimal | None = None
    currency: str | None = None


def validation_problem(errors: list[Any]) -> Problem:
    """Convert pydantic's errors."""
    converted = [{"detail": one["msg"], "pointer": "/".join(map(str, one["loc"]))} for one in errors]
    return Problem(422, "Invalid request", converted)


def require_scope(scope: str, context: dict[str, Any]) -> dict[str, str]:
    claims = context.get("authorizer", {}).get("jwt", {}).get("claims")
    if not claims:
        raise Problem(401, "Access token required")
    if scope not in claims.get("scope", "").split():
        raise Problem(403, "The token lacks the scope")
    return dict(claims)


def authenticate(body: bytes, signature: str) -> None:
    """Check the signature of an event, and add its key to the log line."""
    expected = hmac.new(os.environ["WEBHOOK_SECRET"].encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise Problem(401, "Invalid signature")
    log_fields.update(scheme="x_signature", key="1")


# A cursor contains the sort keys of the last row of a page, and a MAC against manipulation.


def encode_cursor(parameters: ListParameters, key: Any, id_: Any) -> str:
    position = json.dumps([str(key), str(id_)]).encode()
    return base64.urlsafe_b64encode(_mac(parameters, position) + position).decode()


def decode_cursor(parameters: ListParameters) -> tuple[Any, UUID]:
    try:
        signed = base64.urlsafe_b64decode(parameters.cursor or "")
    except ValueError:
        signed = b""
    if not hmac.compare_digest(signed[:16], _mac(parameters, signed[16:])):
        raise Problem(400, "Invalid cursor")
    key, id_ = json.loads(signed[16:])
    parse = {"created_at": datetime.fromisoformat, "name": str, "price": Decimal, "quantity": int}[parameters.key]
    return parse(key), UUID(id_)


def _mac(parameters: ListParameters, position: bytes) -> bytes:
    bound_to = parameters.model_dump_json(exclude={"page", "page_size", "cursor"}, exclude_none=True).encode()
    return hmac.digest(os.environ["CURSOR_KEY"].encode(), bound_to + b"\0" + position, hashlib.sha256)[:16]


def link_header(
    path: str, query: dict[str, str], parameters: ListParameters, next_cursor: str | None, total_pages: int | None
) -> str:
    links: dict[str, dict[str, Any]] = {"first": {}}
    if next_cursor:
        links["next"] = {"cursor": next_cursor} if total_pages is None else {"page": parameters.page + 1}
    if total_pages:
        links |= {"last": {"page": total_pages}} | (
            {"prev": {"page": parameters.page - 1}} if parameters.page > 1 else {}
        )
    kept = {name: value for name, value in query.items() if name not in ("page", "cursor")}
    targets = {relation: urlencode({**kept, **moved}) for relation, moved in links.items()}
    return ", ".join(f'<{path}{text and "?"}{text}>; rel="{relation}"' for relation, text in targets.items())


logger = logging.getLogger("storefront")
logger.setLevel(logging.INFO)
logger.addHandler(logging.StreamHandler())

log_fields: dict[str, str] = {}
"""Additional fields in the log line of the current request."""


def log_request(event: dict[str, Any], context: Any, status: int, started: float) -> None:
    """Write one JSON log line for each request."""
    line = {
        "level": "INFO",
        "message": "request",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "service": "storefront",
        "method": event["requestContext"]["http"]["method"],
        "route": event["routeKey"],
        "path": event["rawPath"],
        "status": status,
        "duration_ms": round((time.perf_counter() - started) * 1000, 2),
        "request_id": event["requestContext"]["requestId"],
        "function_request_id": context.aws_request_id,
        **log_fields,
    }
    log_fields.clear()
    logger.info(json.dumps(line))
