"""Who asked for a change, as the timeline of an order and the ledger of the stock say."""

from collections.abc import Mapping
from typing import Any, TypedDict

ANONYMOUS = "anonymous"
PAYMENT_PROCESSOR = "payment-processor"
EXPIRE_ORDERS = "expire-orders"

OWN_ACTORS = frozenset({ANONYMOUS, PAYMENT_PROCESSOR, EXPIRE_ORDERS})
"""The actors of requests without a token."""


class Actor(TypedDict):
    """Who did it, and the id under which the log has the request."""

    actor: str
    request_id: str


def claims_of(event: Mapping[str, Any]) -> Mapping[str, str]:
    """The claims of the token that was checked; empty without one. Numbers come as text, a list as "[a b]".

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html
    """
    found: Any = event["requestContext"]
    for name in ("authorizer", "jwt", "claims"):
        found = found.get(name) if isinstance(found, dict) else None
    return found if isinstance(found, dict) else {}


def actor_of(event: Mapping[str, Any]) -> Actor:
    """The subject of the token that was checked; without one, anonymous."""
    return {"actor": claims_of(event).get("sub") or ANONYMOUS, "request_id": event["requestContext"]["requestId"]}
