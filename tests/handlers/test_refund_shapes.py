"""All shapes of refund and dispute events arrive at one shop in random order. Each does what the table says."""

from random import Random
from typing import Any, NamedTuple

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, expect, signed
from tests.handlers.inbox import EVENTS, RECONCILIATION
from tests.refund_shapes import REFUND_SHAPES, RefundShape
from tests.sizes import SEED


class Event(NamedTuple):
    """An event of a shape, for an order of its own."""

    shape: RefundShape
    order_id: str
    id_: str

    def filled(self, text: str) -> str:
        return text.replace("{id}", self.id_).replace("{order}", self.order_id)

    def deliver(self, api: ApiClient) -> tuple[int, str | None]:
        """The status code and the outcome."""
        body = self.filled(self.shape.body.decode()).encode()
        headers = signed(body, self.shape.scheme, f"msg_{self.id_}")
        response = api.call("POST", "/api/payment-webhook", body, headers)
        return response.status, response.json["outcome"] if response.status == 200 else None


@pytest.fixture
def events(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    monkeypatch.setenv("PAYMENT_MODE", "live")
    product = api.create_product(price="19.90", quantity=len(REFUND_SHAPES))
    orders = [api.order((product["id"], 1))["id"] for _ in REFUND_SHAPES]
    for n, order_id in enumerate(orders):
        expect(200, api.pay(order_id, event_id=f"paid_{n}", payment_reference=f"pay_evt_{n}"))
    return [
        Event(shape, order_id, f"evt_{n}")
        for n, (shape, order_id) in enumerate(zip(REFUND_SHAPES, orders, strict=True))
    ]


def test_every_shape_of_a_refund_or_dispute_does_what_the_table_says(
    api: ApiClient, database: Connection, events: list[Event]
) -> None:
    print(f"TEST_SEED={SEED}")  # noqa: T201  pytest shows it if the test fails
    deliveries = events * 2
    Random(SEED).shuffle(deliveries)
    delivered: set[str] = set()
    for event in deliveries:
        effect = event.shape.effect
        # A later delivery replaces what had no effect yet.
        is_replaced = effect.reason in ("payment_unknown", "other_mode")
        second = effect.outcome if is_replaced else "duplicate"
        outcome = None if effect.status != 200 else second if event.id_ in delivered else effect.outcome
        assert event.deliver(api) == (effect.status, outcome), event
        delivered.add(event.id_)

    kinds = listed_kinds(api)
    for event in events:
        effect = event.shape.effect
        [entry] = api.items(EVENTS, event_id=event.id_)
        assert (entry["outcome"], entry["reason"], entry["attempts"]) == (effect.outcome, effect.reason, 2), event
        assert rows(api, event.order_id) == [event.filled(row) for row in effect.rows], event
        assert kinds.get(event.order_id if effect.reason != "invalid" else entry["id"]) == effect.kind, event
        assert api.payment_status(event.order_id) == "paid", event
    assert violations(database) == []


def rows(api: ApiClient, order_id: str) -> list[str]:
    """The refunds of an order, with status, amount and reference, and the status of its disputes."""
    found = [
        " ".join(filter(None, (one["status"], one["amount"], one["processor_reference"])))
        for one in api.items(f"/api/orders/{order_id}/refunds")
    ]
    [payment] = api.items(f"/api/orders/{order_id}/payments")
    return [*found, *(dispute["status"] for dispute in payment["disputes"])]


def listed_kinds(api: ApiClient) -> dict[str, Any]:
    """The kind of the reconciliation entry of each order, or of the event if it has no order."""
    kinds = {}
    for page in (1, 2):
        for entry in api.items(RECONCILIATION, page=page, page_size=100):
            kinds[entry["order"]["id"] if entry["order"] else entry["payment_event"]["id"]] = entry["kind"]
            if entry["payment_event"]:
                kinds[entry["payment_event"]["id"]] = entry["kind"]
    return kinds
