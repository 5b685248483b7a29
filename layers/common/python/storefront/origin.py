"""Who asked for a change, as the timeline of an order and the ledger of the stock say."""

from collections.abc import Mapping
from typing import Any, TypedDict

ANONYMOUS = "anonymous"


class Origin(TypedDict):
    """Who did it, and the id under which the log has the request."""

    actor: str
    request_id: str


def origin(event: Mapping[str, Any]) -> Origin:
    """The subject of the token that API Gateway's authorizer has checked; without one, anonymous.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
    """
    context = event["requestContext"]
    claims = context.get("authorizer", {}).get("jwt", {}).get("claims", {})
    return {"actor": claims.get("sub") or ANONYMOUS, "request_id": context["requestId"]}
