"""Reports and replays payment events, and reads their inbox and the timelines of orders."""

from typing import Any

from tests.api_client import ApiClient, expect

EVENTS = "/api/payment-events"
RECONCILIATION = "/api/reconciliation"


def only_event(api: ApiClient, **parameters: Any) -> dict[str, Any]:
    [event] = api.items(EVENTS, **parameters)
    return event


def last_timeline_event(api: ApiClient, order: dict[str, Any]) -> dict[str, Any]:
    return timeline(api, order["id"])[-1]


def timeline(api: ApiClient, order_id: str) -> list[dict[str, Any]]:
    return api.items(f"/api/orders/{order_id}/events", page_size=100)


def pay(api: ApiClient, order: dict[str, Any], event_id: str, **fields: Any) -> tuple[str, str | None]:
    """Report a payment in the native format. Return the outcome and the reason of the event."""
    outcome = expect(200, api.pay(order["id"], event_id=event_id, **fields))["outcome"]
    return outcome, last_timeline_event(api, order)["reason"]


def replay(api: ApiClient, event_id: str) -> tuple[str, str | None]:
    """Replay an event. Return its outcome and its reason."""
    event = only_event(api, event_id=event_id)
    expect(200, api.call("POST", f"{EVENTS}/{event['id']}/replay"))
    event = only_event(api, event_id=event_id)
    return event["outcome"], event["reason"]
