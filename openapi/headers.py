"""The headers of requests and responses."""

from typing import Any

_ETAG = '"d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26"'


def _sent(description: str, **schema: Any) -> dict[str, Any]:
    # No example: the page /docs would fill it in, and send every order with the same key.
    return {"description": description, "schema": {"type": "string", **schema}}


def _header(description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {**_sent(description, **schema), "example": example}


def _always(description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {**_header(description, example, **schema), "required": True}


REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": _sent(
        "Makes the request safe to retry. For 72 hours, requests with the same key and the same content take effect"
        " once. Use a UUID, for example.",
        # Bare, or a string of structured fields (RFC 8941).
        pattern=r'^[!#-~][!-~]{0,254}$|^"([!#-\[\]-~]|\\["\\]){1,255}"$',
    ),
    "If-Match": _sent(
        "Continue only if this is the current ETag of the product, or of the order in the path. Several ETags are"
        " allowed."
    ),
    "If-None-Match": _sent("Respond with 304 if this is the current ETag."),
}

RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": _always("Identifies the content of the response. It changes whenever the content changes.", _ETAG),
    "Idempotent-Replayed": _header(
        "`true` if this is the stored response to an earlier request with the same key.", "true", const="true"
    ),
    "Link": _header(
        "Links to the next, previous, first and last page (RFC 8288). The header stays under 4 KB: links that do not"
        " fit are left out. If the next page does not fit, the header is missing. `next_cursor` is always in the body.",
        '</api/products?page=2>; rel="next"',
    ),
    "Location": _always(
        "The path of the new resource. In a redirect, the path to request instead.",
        "/api/orders/b0000000-0000-4000-8000-000000000001",
    ),
    "Retry-After": _always("The number of seconds to wait before a retry.", "2", pattern="^[0-9]+$"),
    "WWW-Authenticate": _header("The kind of access token that the route requires (RFC 6750).", "Bearer"),
}
