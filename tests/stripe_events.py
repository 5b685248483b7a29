"""Events as in Stripe's API reference.

https://docs.stripe.com/api/events
"""

import json
from typing import Any

from tests.api_client import ROOT

NAMES = sorted(path.stem for path in (ROOT / "tests" / "fixtures" / "stripe").iterdir())


def text_of(name: str) -> str:
    return (ROOT / "tests" / "fixtures" / "stripe" / f"{name}.json").read_text()


def stripe_event(name: str = "payment_intent.succeeded", /, **changes: Any) -> dict[str, Any]:
    """One of NAMES. The changes apply to the event's object."""
    event: dict[str, Any] = json.loads(text_of(name))
    event["data"]["object"] |= changes
    return event
