"""Handlers that measure the database layer, without a function's handler."""

import json
import os
from typing import Any

from storefront import db

ACTOR = {"actor": "shop", "request_id": "00000000-0000-4000-8000-000000000000"}
"""The actor that handlers pass to SQL functions."""


def place_order(event: dict[str, Any], _: Any) -> dict[str, int]:
    """Run the statement of an order, without validation, access checks and logs."""
    outcome, _body = db.call("place_order", json.dumps({**json.loads(event["body"]), **ACTOR}), repeatable=False)
    return {"statusCode": 201 if outcome == "placed" else 500}


def connect(_: dict[str, Any], __: Any) -> dict[str, int]:
    """Open and close a connection."""
    db.connect(os.environ["DATABASE_URL"]).close()
    return {"statusCode": 200}
