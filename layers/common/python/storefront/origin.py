"""Who asked for a change, as the timeline of an order and the ledger of the stock say."""

from collections.abc import Mapping
from typing import Any, TypedDict

from storefront.access import claims_of

ANONYMOUS = "anonymous"


class Origin(TypedDict):
    """Who did it, and the id under which the log has the request."""

    actor: str
    request_id: str


def origin(event: Mapping[str, Any]) -> Origin:
    """The subject of the token that was checked; without one, anonymous."""
    return {"actor": claims_of(event).get("sub") or ANONYMOUS, "request_id": event["requestContext"]["requestId"]}
