"""Access tokens and signatures, as OpenAPI security schemes."""

from typing import Any

from storefront.routes import Access

_SCOPES = """\
A JWT access token with the scope of the operation:

- `catalog:write`: create, change and delete products; adjust stock and read its ledger
- `orders:write`: place orders; as a customer, cancel them
- `orders:read`: read orders and their timelines
- `orders:manage`: change an order's status; write notes; erase personal data; read and replay payment events; read the
  reconciliation

A token with the claim `customer_id` belongs to a customer. It can only place, read and cancel that customer's orders.
A token with the scope `orders:all` belongs to the shop. Other tokens open only the routes of products.
"""


def _header(name: str, description: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": name, "description": description}


SCHEMES: dict[str, dict[str, Any]] = {
    "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": _SCOPES},
    "x_signature": _header("X-Signature", "The HMAC-SHA256 of the body, as 64 lowercase hexadecimal digits."),
    "webhook_id": _header(
        "webhook-id", "Standard Webhooks: the ID of the event. 1 to 255 visible characters without a full stop."
    ),
    "webhook_timestamp": _header(
        "webhook-timestamp",
        "Standard Webhooks: the time in seconds since 1970, at most 300 seconds before or after now.",
    ),
    "webhook_signature": _header(
        "webhook-signature",
        "Standard Webhooks: `v1,` and the HMAC-SHA256 of `id.timestamp.body` in base64. A space separates several.",
    ),
    "stripe_signature": _header(
        "Stripe-Signature",
        "`t=timestamp,v1=` and the HMAC-SHA256 of `timestamp.body` in hexadecimal. Several `v1` are allowed.",
    ),
}

_SIGNATURES: list[dict[str, list[str]]] = [
    {"x_signature": []},
    {"webhook_id": [], "webhook_timestamp": [], "webhook_signature": []},
    {"stripe_signature": []},
]


def requirement(*allowed: Access) -> list[dict[str, list[str]]]:
    """Return the security requirement of a route: none, one of the signatures, or a token with one of some scopes."""
    if Access.ANYONE in allowed:
        return []
    return _SIGNATURES if Access.SIGNATURE in allowed else [{"token": [access.value]} for access in allowed]
