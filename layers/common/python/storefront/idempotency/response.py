"""What is answered where something was made."""

import json

from storefront.cold_start.powertools import Response
from storefront.http import json_response
from storefront.idempotency.keys import IdempotentResponse


def created(response: IdempotentResponse, collection: str | None = None, **headers: str) -> Response[str]:
    """201 with what was made and, where it can be read again, its place. A replay says that it is one."""
    if collection is not None:
        headers["Location"] = f"{collection}/{json.loads(response.body)['id']}"
    if response.is_replay:
        headers["Idempotent-Replayed"] = "true"
    return json_response(response.body, 201, **headers)
