"""Reads the inbox of payment events and the timelines of orders."""

from typing import Any

from tests.api_client import ApiClient

EVENTS = "/api/payment-events"
RECONCILIATION = "/api/reconciliation"


def only_event(api: ApiClient, **parameters: Any) -> dict[str, Any]:
    [event] = api.items(EVENTS, **parameters)
    return event


def last_timeline_event(api: ApiClient, order: dict[str, Any]) -> dict[str, Any]:
    return timeline(api, order["id"])[-1]


def timeline(api: ApiClient, order_id: str) -> list[dict[str, Any]]:
    return api.items(f"/api/orders/{order_id}/events", page_size=100)
