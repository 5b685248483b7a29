"""What both peers take, and what they say in their logs and links; all else is each one's own."""

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


class Problem(Exception):  # noqa: N818  RFC 9457 has the name
    def __init__(self, status: int, title: str, errors: list[dict[str, Any]] | None = None) -> None:
        super().__init__(title)
        self.status, self.title, self.errors = status, title, errors

    def body(self) -> dict[str, Any]:
        return {"type": "about:blank", "title": self.title, "status": self.status, "errors": self.errors}


class RequestModel(BaseModel):
    model_config = ConfigDict(extra="forbid")


class NewOrderLine(RequestModel):
    product_id: UUID
    quantity: PositiveInteger


class NewOrder(RequestModel):
    customer_id: PositiveInteger
    products: Annotated[list[NewOrderLine], Field(min_length=1, max_length=100)]


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
    def downwards(self) -> bool:
        return self.sort.startswith("-")


class SentPayment(BaseModel):
    order_id: UUID
    payment_status: Literal["paid", "failed"]
    event_id: Annotated[str, Field(min_length=1, max_length=255)] | None = None
    amount: Decimal | None = None
    currency: str | None = None


def broken_rules(errors: list[Any]) -> Problem:
    """The problem with what pydantic did not take."""
    listed = [{"detail": one["msg"], "pointer": "/".join(map(str, one["loc"]))} for one in errors]
    return Problem(422, "The request breaks a rule", listed)


def claims_with(scope: str, context: dict[str, Any]) -> dict[str, str]:
    claims = context.get("authorizer", {}).get("jwt", {}).get("claims")
    if not claims:
        raise Problem(401, "A token is needed")
    if scope not in claims.get("scope", "").split():
        raise Problem(403, "The token does not allow that")
    return dict(claims)


def authenticate(body: bytes, signature: str) -> None:
    """Let an event through that is signed; the request's line in the log says with what."""
    expected = hmac.new(os.environ["WEBHOOK_SECRET"].encode(), body, hashlib.sha256).hexdigest()
    if not hmac.compare_digest(expected, signature):
        raise Problem(401, "Invalid signature")
    remarks.update(scheme="x_signature", key="1")


# A list goes on after a cursor: the keys of a page's last row, signed so that nobody else can make one.


def cursor_after(asked: ListParameters, key: Any, id_: Any) -> str:
    position = json.dumps([str(key), str(id_)]).encode()
    return base64.urlsafe_b64encode(_mac(asked, position) + position).decode()


def position_of(asked: ListParameters) -> tuple[Any, UUID]:
    try:
        signed = base64.urlsafe_b64decode(asked.cursor or "")
    except ValueError:
        signed = b""
    if not hmac.compare_digest(signed[:16], _mac(asked, signed[16:])):
        raise Problem(400, "The cursor is not one of this list")
    key, id_ = json.loads(signed[16:])
    read = {"created_at": datetime.fromisoformat, "name": str, "price": Decimal, "quantity": int}[asked.key]
    return read(key), UUID(id_)


def _mac(asked: ListParameters, position: bytes) -> bytes:
    bound_to = asked.model_dump_json(exclude={"page", "page_size", "cursor"}, exclude_none=True).encode()
    return hmac.digest(os.environ["CURSOR_KEY"].encode(), bound_to + b"\0" + position, hashlib.sha256)[:16]


def link_header(
    path: str, query: dict[str, str], asked: ListParameters, next_cursor: str | None, total_pages: int | None
) -> str:
    links: dict[str, dict[str, Any]] = {"first": {}}
    if next_cursor:
        links["next"] = {"cursor": next_cursor} if total_pages is None else {"page": asked.page + 1}
    if total_pages:
        links |= {"last": {"page": total_pages}} | ({"prev": {"page": asked.page - 1}} if asked.page > 1 else {})
    kept = {name: value for name, value in query.items() if name not in ("page", "cursor")}
    targets = {relation: urlencode({**kept, **moved}) for relation, moved in links.items()}
    return ", ".join(f'<{path}{text and "?"}{text}>; rel="{relation}"' for relation, text in targets.items())


logger = logging.getLogger("storefront")
logger.setLevel(logging.INFO)
logger.addHandler(logging.StreamHandler())

remarks: dict[str, str] = {}
"""What the line of the one request at a time says beside the usual."""


def log_request(event: dict[str, Any], context: Any, status: int, started: float) -> None:
    """One line a request, as Lambda's log takes it."""
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
        **remarks,
    }
    remarks.clear()
    logger.info(json.dumps(line))
