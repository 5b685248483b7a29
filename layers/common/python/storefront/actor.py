"""The actor of a change, for the timeline of an order and the stock ledger."""

from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from storefront import settings

ANONYMOUS = "anonymous"
PAYMENT_PROCESSOR = "payment-processor"
EXPIRE_ORDERS = "expire-orders"

OWN_ACTORS = frozenset({ANONYMOUS, PAYMENT_PROCESSOR, EXPIRE_ORDERS, "import", "sample-data"})
"""The actors of changes that no token made. "import" and "sample-data" are those of rows that came in otherwise."""


Party = Literal["customer", "shop", "payment processor"]


class Actor(TypedDict):
    """Who made a change, and the ID of the request in the log. party: what customers see of the actor."""

    actor: str
    party: Party
    request_id: str


def claims_of(event: Mapping[str, Any]) -> Mapping[str, str]:
    """Return the claims of the access token, or an empty mapping without one.

    API Gateway sends a number as text and a list as "[a b]".

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    claims: Any = event["requestContext"]
    for name in ("authorizer", "jwt", "claims"):
        claims = claims.get(name) if isinstance(claims, dict) else None
    return claims if isinstance(claims, dict) else {}


def actor_of(event: Mapping[str, Any]) -> Actor:
    """Return the subject of the access token, or "anonymous" without one, and the request's ID."""
    claims = claims_of(event)
    return {
        "actor": claims.get("sub") or ANONYMOUS,
        "party": "customer" if settings.customer_claim() in claims else "shop",
        "request_id": event["requestContext"]["requestId"],
    }
