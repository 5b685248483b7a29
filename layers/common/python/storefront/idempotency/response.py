"""The response to a request that created something."""

import json

from storefront.cold_start.powertools import Response
from storefront.http import json_response
from storefront.idempotency.keys import IdempotentResponse


def created(response: IdempotentResponse, collection: str | None = None, **headers: str) -> Response[str]:
    """Return 201 with the new resource.

    collection: the path of the collection, for the Location header, if clients can read the resource there.
    """
    if collection is not None:
        headers["Location"] = f"{collection}/{json.loads(response.body)['id']}"
    if response.is_replay:
        headers["Idempotent-Replayed"] = "true"
    return json_response(response.body, 201, **headers)
