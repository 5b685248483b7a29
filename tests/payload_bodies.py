"""Bodies of payment events in each format. They report a payment of 19.90 USD; keyword arguments change fields.

A test replaces {id} and {order}. It also replaces other forms of the order's ID, such as {ORDER} in capitals.
"""

import json
import re
from typing import Any

Fields = dict[str, Any]

NOON = "2026-11-29T12:00:00.000000Z"
MISSING = object()
"""The value of a field that the event does not have."""


def raw(text: str) -> str:
    """A value that Python's JSON writer does not write."""
    return f"raw:{text}"


def native(**fields: Any) -> Fields:
    event = {"event_id": "{id}", "order_id": "{order}", "payment_status": "paid", "occurred_at": NOON}
    return {**event, "amount": "19.90", "currency": "USD", **fields}


def envelope(data: Any = None, /, **fields: Any) -> Fields:
    return {"type": "payment.paid", "timestamp": NOON, "data": native() if data is None else data, **fields}


def intent(**fields: Any) -> Fields:
    money = {"amount": 1990, "amount_received": 1990, "currency": "usd"}
    return {"id": "pi_{id}", "object": "payment_intent", "metadata": {"order_id": "{order}"}, **money, **fields}


def session(**fields: Any) -> Fields:
    named = {"metadata": {"order_id": "{order}"}, "client_reference_id": None, "payment_intent": "pi_{id}"}
    money = {"amount_total": 1990, "currency": "usd", "payment_status": "paid"}
    return {"id": "cs_{id}", "object": "checkout.session", **named, **money, **fields}


def stripe(object_: Any = None, type_: Any = "payment_intent.succeeded", /, **fields: Any) -> Fields:
    data = {"object": intent() if object_ is None else object_}
    return {
        "id": "{id}",
        "object": "event",
        "created": 1795953600,
        "livemode": True,
        "type": type_,
        "data": data,
        **fields,
    }


def named(order_id: Any) -> Fields:
    """An event of Stripe that names an order in this way."""
    return stripe(intent(metadata={"order_id": order_id}))


def completed(**fields: Any) -> Fields:
    return stripe(session(**fields), "checkout.session.completed")


def body_of(body: Any) -> bytes:
    """The bytes of a body. Bytes stay as they are."""
    if isinstance(body, bytes):
        return body
    text = json.dumps(_sent(body))
    return re.sub('"raw:([^"]*)"', r"\1", text).encode()


def _sent(value: Any) -> Any:
    """A value without its missing fields."""
    if isinstance(value, dict):
        return {name: _sent(field) for name, field in value.items() if field is not MISSING}
    return [_sent(item) for item in value] if isinstance(value, list) else value
