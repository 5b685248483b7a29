"""The headers that requests and answers have."""

from typing import Any

_ETAG = '"d2a84f4b8b650937ec8f73cd8be2c74add5a911ba64df27458ed8229da804a26"'


def _sent(description: str, **schema: Any) -> dict[str, Any]:
    # Without an example: the page would fill it in, and every order would be placed under the same key.
    return {"description": description, "schema": {"type": "string", **schema}}


def _header(description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {**_sent(description, **schema), "example": example}


def _always(description: str, example: str, **schema: Any) -> dict[str, Any]:
    return {**_header(description, example, **schema), "required": True}


REQUEST_HEADERS: dict[str, dict[str, Any]] = {
    "Idempotency-Key": _sent(
        "Makes the request safe to send again: for 72 hours the same content under the same key is carried out once."
        " A UUID, for one.",
        # Bare, or a string of structured fields (RFC 8941).
        pattern=r'^[!#-~][!-~]{0,254}$|^"([!#-\[\]-~]|\\["\\]){1,255}"$',
    ),
    "If-Match": _sent("Make the change only while the product has this ETag, or one of several."),
    "If-None-Match": _sent("Answer 304 while it still has this ETag."),
}

RESPONSE_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": _always("Changes with every byte of the answer.", _ETAG),
    "Idempotent-Replayed": _header("Sent, as true, where the answer is the first request's.", "true", const="true"),
    "Link": _header("The first, previous, next and last page (RFC 8288).", '</api/products?page=2>; rel="next"'),
    "Location": _always("Where what was made can be read.", "/api/orders/b0000000-0000-4000-8000-000000000001"),
    "Retry-After": _always("Seconds after which to send the request again.", "2", pattern="^[0-9]+$"),
    "WWW-Authenticate": _header("What the route asks for (RFC 6750).", "Bearer"),
}
