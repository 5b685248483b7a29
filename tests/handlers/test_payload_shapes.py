"""All shapes of payment events arrive at one shop in random order. Each does what the table says, and nothing else."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from random import Random
from typing import Any, NamedTuple

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, Response, signed
from tests.handlers.inbox import EVENTS, RECONCILIATION
from tests.payload_effects import Effect
from tests.payload_shapes import SHAPES, Shape
from tests.sizes import SEED

SAME_EVENT = ("duplicate", "same_event")
PAYMENTS = "SELECT order_id::text, reference, amount FROM payments"


class Event(NamedTuple):
    """An event of a shape, for an order of its own. texts: what the placeholders of the shape stand for."""

    shape: Shape
    order_id: str
    texts: dict[str, str]

    @property
    def effect(self) -> Effect:
        return self.shape.effect

    def outcomes(self) -> list[tuple[str, str | None]]:
        """The outcome and the reason of the first and of the second delivery."""
        first = self.effect.outcome, self.effect.reason
        # A later delivery replaces these. Here, it is the same.
        is_replaced = first[0] in ("unreadable", "unknown_order") or first[1] in ("other_mode", "other_account")
        return [first, first if is_replaced else SAME_EVENT]

    def shown(self) -> dict[str, Any]:
        """The fields of the inbox entry that the table states."""
        fields = {"event_id": "{id}", **self.effect.shown, "outcome": self.effect.outcome, "reason": self.effect.reason}
        return {name: _filled(value, self.texts) for name, value in fields.items()}


@pytest.fixture
def events(api: ApiClient, monkeypatch: pytest.MonkeyPatch) -> list[Event]:
    monkeypatch.setenv("PAYMENT_MODE", "live")
    monkeypatch.setenv("PAYMENT_ACCOUNTS", "acct_shop")
    product = api.create_product(price="19.90", quantity=len(SHAPES))
    return [_event(shape, f"evt_{n}", api.order((product["id"], 1))["id"]) for n, shape in enumerate(SHAPES)]


def test_every_shape_of_an_event_does_what_the_table_says(
    api: ApiClient, database: Connection, events: list[Event]
) -> None:
    print(f"TEST_SEED={SEED}")  # noqa: T201  pytest shows it if the test fails
    deliveries = events * 2
    Random(SEED).shuffle(deliveries)
    delivered: set[str] = set()
    for event in deliveries:
        response = _deliver(api, event)
        assert response.status == event.effect.status, (event, response)
        if response.status == 200:
            assert response.json["outcome"] == event.outcomes()[event.order_id in delivered][0], (event, response)
        delivered.add(event.order_id)

    entries = {(entry["event_id"], entry["scheme"]): entry for entry in _all_items(api, EVENTS)}
    assert len(entries) == len(events)
    kinds = {entry["payment_event"]["id"]: entry["kind"] for entry in _all_items(api, RECONCILIATION)}
    received = {order_id: (reference, amount) for order_id, reference, amount in database.run(PAYMENTS) or []}
    held = {order_id for [order_id] in database.run("SELECT id::text FROM orders WHERE held_since IS NOT NULL")}
    for event in events:
        entry = entries[event.shown()["event_id"], event.shape.scheme]
        assert {name: entry[name] for name in event.shown()} == event.shown(), event
        assert (entry["attempts"], entry["error"] is None) == (2, event.effect.outcome != "unreadable"), event
        assert kinds.pop(entry["id"], None) == event.effect.kind, event
        is_in_timeline = entry["order_id"] == event.order_id and event.effect.reason != "type_not_ours"
        timeline = [(one["outcome"], one["reason"]) for one in api.items(f"/api/orders/{event.order_id}/events")[1:]]
        assert timeline == (event.outcomes() if is_in_timeline else []), event
        assert api.payment_status(event.order_id) == event.effect.payment_status, event
        assert (event.order_id in held) == event.effect.is_held, event
        assert received.pop(event.order_id, None) == _payment(entry, event), event
    assert (kinds, received) == ({}, {})
    assert violations(database) == []


def _event(shape: Shape, id_: str, order_id: str) -> Event:
    digits = order_id.replace("-", "")
    texts = {
        "{id}": id_,
        "{webhook_id}": f"msg_{id_}",
        "{order}": order_id,
        "{ORDER}": order_id.upper(),
        "{order_digits}": digits,
        "{order_other_dashes}": f"{digits[:4]}-{digits[4:20]}-{digits[20:]}",
        "{order_fullwidth}": order_id.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)}),
    }
    body = shape.body
    for placeholder, text in texts.items():
        body = body.replace(placeholder.encode(), text.encode())
    return Event(shape._replace(body=body), order_id, {**texts, "{hash}": hashlib.sha256(body).hexdigest()})


def _payment(entry: dict[str, Any], event: Event) -> tuple[str | None, Decimal] | None:
    """The reference and the amount of the payment that the event of an inbox entry adds to its order, or None."""
    amount = Decimal(entry["amount"] or "19.90")
    is_received = entry["outcome"] in ("applied", "needs_review") and entry["payment_status"] == "paid"
    if not is_received or entry["reason"] == "amount_unreadable" or amount <= 0:
        return None
    is_named = entry["event_id"] != event.texts["{hash}"]
    return entry["payment_reference"] or (entry["event_id"] if is_named else None), amount


def _filled(value: Any, texts: dict[str, str]) -> Any:
    if not isinstance(value, str):
        return value
    for placeholder, text in texts.items():
        value = value.replace(placeholder, text)
    return value


def _deliver(api: ApiClient, event: Event) -> Response:
    shape = event.shape
    headers = {**signed(shape.body, shape.scheme, event.texts["{webhook_id}"]), "content-type": shape.media_type}
    return api.call("POST", "/api/payment-webhook", shape.body, headers)


def _all_items(api: ApiClient, path: str) -> Iterator[dict[str, Any]]:
    for page in count(1):
        items = api.items(path, page=page, page_size=100)
        yield from items
        if len(items) < 100:
            return
