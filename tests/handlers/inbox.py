"""The inbox of payment events, as tests look into it."""

from typing import Any

from tests.shop import Shop

EVENTS = "/api/payment-events"
RECONCILIATION = "/api/reconciliation"


def only_event(shop: Shop, **parameters: Any) -> dict[str, Any]:
    [event] = shop.items(EVENTS, **parameters)
    return event


def last_line(shop: Shop, order: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = shop.items(f"/api/orders/{order['id']}/events", page_size=100)[-1]
    return line
