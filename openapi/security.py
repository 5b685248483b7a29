"""Who may use a route, as OpenAPI says it."""

from typing import Any

from storefront.routes import Access

_SCOPES = """\
An access token, a JWT, with the scope that the operation names:

- `catalog:write`: create, change and delete products, adjust stock
- `orders:write`: place orders
- `orders:read`: read orders and their timelines
- `orders:manage`: change an order's status, read and replay payment events, reconcile

With a claim `customer_id` it is a customer's, who places and reads their own orders alone.
"""


def _header(name: str, description: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


SCHEMES: dict[str, dict[str, Any]] = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": _SCOPES},
    "x_signature": _header("X-Signature", "HMAC-SHA256 of the body, as 64 lower-case hexadecimal digits."),
    "webhook_id": _header(
        "webhook-id", "Standard Webhooks: the event's id, 1 to 255 visible characters, no full stop."
    ),
    "webhook_timestamp": _header("webhook-timestamp", "Standard Webhooks: seconds since 1970, within 300 of now."),
    "webhook_signature": _header(
        "webhook-signature",
        "Standard Webhooks: `v1,` and the base64 of the HMAC-SHA256 of `id.timestamp.body`; several with spaces.",
    ),
    "stripe_signature": _header(
        "Stripe-Signature",
        "`t=timestamp,v1=` and the hexadecimal HMAC-SHA256 of `timestamp.body`; several `v1` are allowed.",
    ),
}

_SIGNATURES: list[dict[str, list[str]]] = [
    {"x_signature": []},
    {"webhook_id": [], "webhook_timestamp": [], "webhook_signature": []},
    {"stripe_signature": []},
]


def requirement(access: Access) -> list[dict[str, list[str]]]:
    """The security requirement of a route: nothing, one of the signatures, or a token with a scope."""
    if access is Access.ANYONE:
        return []
    return _SIGNATURES if access is Access.SIGNATURE else [{"token": [access.value]}]
