"""Handlers of the benchmark's own, for what is below the functions' handlers."""

import json
import os
from typing import Any

from storefront import db

ACTOR = {"actor": "shop", "request_id": "00000000-0000-4000-8000-000000000000"}
"""Who asks, as the handlers tell it to the statements."""


def place_order(event: dict[str, Any], _: Any) -> dict[str, int]:
    """The statement behind an order, without validation, access and log."""
    outcome, _body = db.call("place_order", json.dumps({**json.loads(event["body"]), **ACTOR}))
    return {"statusCode": 201 if outcome == "placed" else 500}


def connect(_: dict[str, Any], __: Any) -> dict[str, int]:
    """A connection, opened and closed."""
    db.connect(os.environ["DATABASE_URL"]).close()
    return {"statusCode": 200}
