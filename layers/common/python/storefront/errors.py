"""The problems a client can be told of: RFC 9457, application/problem+json.

Problem                 raised anywhere below a handler; http.py turns it into the response
├── one class a kind here, where more than one module raises it, or a module that every feature shares
└── a feature's own, beside the call that finds it (orders/store.py, payments/signatures.py, idempotency/keys.py)

A kind's URI is stable: clients may tell problems apart by it. docs/reference/problems.md lists them all.
"""

import json
from collections.abc import Mapping
from typing import Any, ClassVar

MEDIA_TYPE = "application/problem+json"

RETRY_AFTER_SECONDS = "2"
"""A pooled database is back within seconds of a failover, and a lock is held for milliseconds."""


class Problem(Exception):  # noqa: N818  RFC 9457 has the name
    """Something that the client is told. A subclass names the kind: its status, slug and title.

    The first paragraph of its docstring says to clients when it happens; the reference and the API's description have
    it.

    cause: what our log says and the client is not told.
    """

    status: ClassVar[int]
    kind: ClassVar[str]
    title: ClassVar[str]

    def __init__(
        self,
        detail: str,
        *,
        errors: list[dict[str, Any]] | None = None,
        headers: Mapping[str, str] | None = None,
        cause: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.errors = errors
        self.headers = dict(headers or {})
        self.cause = cause

    def body(self) -> str:
        """The JSON text that RFC 9457, section 3, describes."""
        document: dict[str, Any] = {
            "type": f"/docs#{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            document["errors"] = self.errors
        return json.dumps(document, ensure_ascii=False)


class BadCursor(Problem):
    """The cursor was changed, or made for another list, filter or sort."""

    status, kind, title = 400, "bad-cursor", "The cursor is not one of this list"


class InsufficientStock(Problem):
    """A line asks for more than there is, and every short line is listed; or an adjustment does."""

    status, kind, title = 400, "insufficient-stock", "Insufficient stock"


class PageTooDeep(Problem):
    """The page starts more than 100,000 rows down; a cursor leads further."""

    status, kind, title = 400, "page-too-deep", "The page is too deep"


class PageTooLarge(Problem):
    """The page has more than 6 MB, which long texts can take; ask for fewer rows."""

    status, kind, title = 400, "page-too-large", "The page is too large"


class MalformedBody(Problem):
    """The body is not JSON, or not UTF-8."""

    status, kind, title = 400, "malformed-body", "The body is not JSON"


class RouteNotFound(Problem):
    """There is no such path."""

    status, kind, title = 404, "route-not-found", "No such route"


class ProductNotFound(Problem):
    """No product has the id, or it was deleted; every missing one is listed."""

    status, kind, title = 404, "product-not-found", "No such product"


class OrderNotFound(Problem):
    """No order has the id, or it is another customer's."""

    status, kind, title = 404, "order-not-found", "No such order"


class MethodNotAllowed(Problem):
    """The path takes other methods, named in `Allow`."""

    status, kind, title = 405, "method-not-allowed", "Method not allowed"


class StaleETag(Problem):
    """The product has none of the ETags in `If-Match` any more."""

    status, kind, title = 412, "stale-etag", "It does not have that ETag, or no longer"


class BodyTooLarge(Problem):
    """The body has more than 256 KiB."""

    status, kind, title = 413, "body-too-large", "The body is too large"


class UnsupportedMediaType(Problem):
    """The body is not declared as `application/json`."""

    status, kind, title = 415, "unsupported-media-type", "The body is not declared as JSON"


class InvalidRequest(Problem):
    """The body, a parameter, a header or an id breaks a rule; every one is listed, up to 100."""

    status, kind, title = 422, "invalid-request", "The request breaks a rule"


class NumberOutOfRange(Problem):
    """The stock would leave the range of an integer."""

    status, kind, title = 422, "number-out-of-range", "A number would leave its range"


class InternalError(Problem):
    """A mistake of ours; nothing of its cause is told."""

    status, kind, title = 500, "internal-error", "Something went wrong on our side"


class Unavailable(Problem):
    """The database or Secrets Manager is away or busy; try again after `Retry-After` seconds."""

    status, kind, title = 503, "unavailable", "Temporarily unavailable"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": RETRY_AFTER_SECONDS})
