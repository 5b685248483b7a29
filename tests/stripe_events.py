"""Events as in Stripe's API reference.

https://docs.stripe.com/api/events
"""

import json
from typing import Any

from tests.api_client import ROOT

NAMES = sorted(path.stem for path in (ROOT / "tests" / "fixtures" / "stripe").iterdir())

REFUND_TYPES = ("refund.created", "refund.updated", "refund.failed", "charge.refund.updated")
DISPUTE_TYPES = tuple(
    f"charge.dispute.{change}" for change in ("created", "updated", "closed", "funds_withdrawn", "funds_reinstated")
)

REFERENCES: list[tuple[str, Any, str | None, str | None]] = [
    ("payment_intent.succeeded", {"id": "pi_1"}, "pi_1", "pi_1"),
    ("payment_intent.created", {"id": "pi_1"}, "pi_1", "pi_1"),
    ("checkout.session.completed", {"id": "cs_1", "payment_intent": "pi_1"}, "pi_1", "cs_1"),
    ("checkout.session.completed", {"id": "cs_1", "payment_intent": {"id": " pi_1\n"}}, "pi_1", "cs_1"),
    ("checkout.session.completed", {"id": "cs_1", "payment_intent": None}, "cs_1", "cs_1"),
    ("checkout.session.expired", {"id": " ", "payment_intent": "pi_1"}, "pi_1", None),
    ("refund.created", {"id": "re_1", "payment_intent": "pi_1", "charge": "ch_1"}, "pi_1", "re_1"),
    ("refund.created", {"id": "re_1", "payment_intent": None, "charge": "ch_1"}, "ch_1", "re_1"),
    ("charge.dispute.created", {"id": "dp_1", "payment_intent": {}, "charge": {"id": "ch_1"}}, "ch_1", "dp_1"),
    ("charge.succeeded", {"id": "ch_1", "payment_intent": None}, None, "ch_1"),
    ("customer.created", {"id": 7, "charge": True}, None, "7"),
    ("customer.created", {"id": "x" * 256}, None, None),
    ("customer.created", {"id": "x" * 255}, None, "x" * 255),
    ("customer.created", "cus_1", None, None),
    ("customer.created", [{"id": "cus_1"}], None, None),
    ("customer.created", None, None, None),
]
"""The type and the object of an event, and the IDs in it of the payment and of the object."""


def text_of(name: str) -> str:
    return (ROOT / "tests" / "fixtures" / "stripe" / f"{name}.json").read_text()


def stripe_event(name: str = "payment_intent.succeeded", /, **changes: Any) -> dict[str, Any]:
    """One of NAMES. The changes apply to the event's object."""
    event: dict[str, Any] = json.loads(text_of(name))
    event["data"]["object"] |= changes
    return event
