"""Problems: errors that a response reports as application/problem+json (RFC 9457).

Problem                  raised by handlers and below; http.py turns it into a response
├── kinds in this file   raised by several modules, or by a module that all features use
└── kinds of a feature   next to the code that raises them, such as orders/store.py

Clients may depend on a kind's slug, so it never changes. docs/reference/problems.md lists all kinds.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from storefront.json_text import to_json

MEDIA_TYPE = "application/problem+json"

MAX_RETRY_AFTER = 5
"""Seconds. A pooled database is back a few seconds after a failover, and locks are held for milliseconds."""


def retry_after() -> str:
    """Return a number of seconds at random, so that clients that are refused together do not come back together."""
    return str(random.randint(1, MAX_RETRY_AFTER))  # noqa: S311  not a secret


class Problem(Exception):  # noqa: N818  RFC 9457 calls it a problem
    """An error that a response reports. A subclass defines one kind: its status, slug and title.

    The first paragraph of a subclass's docstring explains the kind to clients, on the page /docs and in the reference.
    default_detail: the detail, if it is always the same.
    members: additional members of this kind (RFC 9457, section 3.2).
    cause: text for the log. The response does not contain it.
    """

    status: ClassVar[int]
    kind: ClassVar[str]
    title: ClassVar[str]
    default_detail: ClassVar[str] = ""

    def __init__(
        self,
        detail: str = "",
        *,
        errors: list[dict[str, Any]] | None = None,
        members: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        cause: str | None = None,
    ) -> None:
        self.detail = detail or self.default_detail
        super().__init__(self.detail)
        self.errors = errors
        self.members = dict(members or {})
        self.headers = dict(headers or {})
        self.cause = cause

    def body(self) -> str:
        """Return the JSON text of the response (RFC 9457, section 3)."""
        document: dict[str, Any] = {
            "type": f"/docs#{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        if self.errors:
            document["errors"] = self.errors
        return to_json(document)


class BadCursor(Problem):
    """The cursor is invalid, or belongs to another list, filter or sort order."""

    status, kind, title = 400, "bad-cursor", "Invalid cursor"
    default_detail = (
        "The cursor is invalid, or belongs to another list, filter or sort order. Start again without a cursor."
    )


class InsufficientStock(Problem):
    """The stock is smaller than the requested quantity. `errors` lists each product that is short."""

    status, kind, title = 400, "insufficient-stock", "Insufficient stock"


class PageTooDeep(Problem):
    """The page starts more than 100,000 rows into the list, or 1,000 if products are filtered. Use a cursor."""

    status, kind, title = 400, "page-too-deep", "Page too deep"

    def __init__(self, max_rows: int) -> None:
        limit = f"A page can start at most {max_rows} rows into the list."
        super().__init__(f"{limit} To read on, send the next_cursor of a page as cursor.")


class PageTooLarge(Problem):
    """The page is larger than 6 MB. Request fewer rows."""

    status, kind, title = 400, "page-too-large", "Page too large"
    default_detail = "The page is larger than 6 MB. Request a smaller page_size."


class MalformedBody(Problem):
    """The body is not JSON in UTF-8."""

    status, kind, title = 400, "malformed-body", "Malformed body"


class RouteNotFound(Problem):
    """The path does not exist."""

    status, kind, title = 404, "route-not-found", "Route not found"
    default_detail = "Path not found"


class ProductNotFound(Problem):
    """The product does not exist, or was deleted. For an order, `errors` lists each missing product."""

    status, kind, title = 404, "product-not-found", "Product not found"

    def __init__(self, *product_ids: str, pointers: Sequence[str] = ()) -> None:
        """pointers: for each ID, its place in the request's body (RFC 6901)."""
        super().__init__(
            f"Product {', '.join(product_ids)} not found",
            errors=[
                {"detail": f"Product {id_} not found", "pointer": pointer}
                for id_, pointer in zip(product_ids, pointers, strict=False)
            ],
        )


class OrderNotFound(Problem):
    """The order does not exist. With a customer's token, this is also the response for another customer's order."""

    status, kind, title = 404, "order-not-found", "Order not found"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"Order {order_id} not found")


class PaymentDisputed(Problem):
    """The customer disputes the payment at their bank. Until the dispute ends, it cannot be refunded."""

    status, kind, title = 409, "payment-disputed", "Payment disputed"
    default_detail = "The customer disputes the payment at their bank. Until the dispute ends, it cannot be refunded."


class MethodNotAllowed(Problem):
    """The path does not allow this method. `Allow` lists the methods that it allows."""

    status, kind, title = 405, "method-not-allowed", "Method not allowed"

    def __init__(self, allowed: str) -> None:
        super().__init__(f"This path allows {allowed}.", headers={"Allow": allowed})


class PreconditionNotSupported(Problem):
    """The route cannot check this condition, such as `If-Match` on a request that creates something."""

    status, kind, title = 412, "precondition-not-supported", "Precondition not supported"

    def __init__(self, header: str) -> None:
        super().__init__(f"This route cannot check {header}. Nothing was changed. Send the request without it.")


class StaleETag(Problem):
    """The current ETag of the product or order is not in `If-Match`."""

    status, kind, title = 412, "stale-etag", "ETag does not match"
    default_detail = (
        "The current ETag is not in If-Match. Read the product or order again, and send its ETag with the quotes."
    )


class BodyTooLarge(Problem):
    """The body is larger than 256 KiB, or a payment event is larger than 1 MiB."""

    status, kind, title = 413, "body-too-large", "Body too large"


class UnsupportedMediaType(Problem):
    """`Content-Type` is not `application/json`."""

    status, kind, title = 415, "unsupported-media-type", "Unsupported media type"
    default_detail = "The request must have Content-Type: application/json."


class InvalidRequest(Problem):
    """The body, a parameter, a header or an ID is invalid. `errors` lists the broken rules, at most 100."""

    status, kind, title = 422, "invalid-request", "Invalid request"


class NumberOutOfRange(Problem):
    """The stock would be larger than 2147483647."""

    status, kind, title = 422, "number-out-of-range", "Number out of range"
    default_detail = "A number would be out of range. Nothing was changed."


class InternalError(Problem):
    """Unexpected server error. The cause is in the log, not in the response."""

    status, kind, title = 500, "internal-error", "Internal server error"

    def __init__(self, request_id: str) -> None:
        super().__init__(f"Unexpected server error. The log has the cause under the request ID {request_id}.")


class Unavailable(Problem):
    """The database or Secrets Manager is unreachable or busy. Retry after `Retry-After` seconds."""

    status, kind, title = 503, "unavailable", "Temporarily unavailable"

    def __init__(self, detail: str, cause: str | None = None) -> None:
        super().__init__(detail, headers={"Retry-After": retry_after()}, cause=cause)
