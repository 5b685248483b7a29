"""Reads payment events in each scheme."""

import json
from typing import Any

from storefront.payments.models import PaymentEvent
from storefront.payments.providers import read_event
from storefront.payments.signatures import Scheme

ORDER = "b0000000-0000-4000-8000-000000000003"
REFUND = "c0000000-0000-4000-8000-000000000001"
NATIVE = {"order_id": ORDER, "payment_status": "paid"}


def read(scheme: Scheme, body: Any) -> PaymentEvent:
    event, problem = read_event(scheme, body if isinstance(body, bytes) else json.dumps(body).encode())
    assert problem is None
    return event


def refused(scheme: Scheme, body: Any, pointer: str) -> PaymentEvent:
    """An event that cannot be read. pointer: the first place that the response names."""
    event, problem = read_event(scheme, body if isinstance(body, bytes) else json.dumps(body).encode())
    assert problem is not None
    assert (problem.status, problem.detail) == (422, event.error)
    assert problem.errors is not None
    assert problem.errors[0]["pointer"] == pointer
    return event


def envelope(type_: Any = "payment.paid", data: Any = None, **others: Any) -> dict[str, Any]:
    return {"type": type_, "data": {"order_id": ORDER} if data is None else data, **others}
