"""Sequences of Stripe's events: several attempts, several events of one payment, and one ID for all events."""

from random import Random
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, Response, expect, lambda_context, load_function, signed
from tests.handlers.conftest import new_order
from tests.handlers.inbox import EVENTS
from tests.handlers.reconciliation import kinds
from tests.payload_bodies import Fields, body_of, completed, intent, session, stripe
from tests.sizes import SEED

OLD_TEST_ID = "evt_00000000000000"
"""The ID of every event that Stripe's old test button sends."""

LATER = 1795953660
"""A minute after the time of other events."""


def deliver(api: ApiClient, order: dict[str, Any], event_id: str, event: Fields, media_type: str = "") -> Response:
    # The amount is first, because the order's random ID can contain its digits.
    texts = {"1990": "450", "{order}": order["id"], "{id}": event_id}
    body = body_of(event)
    for placeholder, text in texts.items():
        body = body.replace(placeholder.encode(), text.encode())
    headers = {**signed(body, "stripe"), "content-type": media_type or "application/json"}
    return api.call("POST", "/api/payment-webhook", body, headers)


def status_after_expiry(api: ApiClient, database: Connection, order: dict[str, Any]) -> str:
    database.run("UPDATE orders SET expires_at = expires_at - interval '2 days'")
    load_function("expire_orders").lambda_handler({}, lambda_context())
    return str(expect(200, api.get(f"/api/orders/{order['id']}"))["status"])


@pytest.mark.parametrize(
    "end_of_another",
    [
        stripe(
            session(id="cs_1", payment_intent=None, payment_status="unpaid"), "checkout.session.expired", created=LATER
        ),
        stripe(intent(id="pi_1"), "payment_intent.payment_failed", created=LATER),
        stripe(intent(id="pi_1"), "payment_intent.canceled", created=LATER),
    ],
    ids=lambda event: event["type"],
)
def test_an_abandoned_attempt_does_not_end_the_hold_of_the_next_one(
    api: ApiClient, database: Connection, order: dict[str, Any], end_of_another: Fields
) -> None:
    unpaid = completed(id="cs_2", payment_intent="pi_2", payment_status="unpaid")
    expect(200, deliver(api, order, "evt_1", unpaid))
    expect(200, deliver(api, order, "evt_2", end_of_another))
    assert status_after_expiry(api, database, order) == "pending"
    # The session and its PaymentIntent are one payment.
    expect(200, deliver(api, order, "evt_3", stripe(intent(id="pi_2"), "payment_intent.canceled", created=LATER)))
    assert status_after_expiry(api, database, order) == "canceled"
    assert violations(database) == []


@pytest.mark.parametrize("ends_with", ["payment_intent.payment_failed", "payment_intent.canceled"])
def test_a_late_start_of_a_payment_that_ended_holds_nothing(
    api: ApiClient, database: Connection, order: dict[str, Any], ends_with: str
) -> None:
    expect(200, deliver(api, order, "evt_1", stripe(intent(id="pi_1"), ends_with, created=LATER)))
    expect(200, deliver(api, order, "evt_2", stripe(intent(id="pi_1"), "payment_intent.processing")))
    assert status_after_expiry(api, database, order) == "canceled"


@pytest.mark.parametrize("first", [0, 1])
def test_a_payment_intent_without_an_order_belongs_to_the_order_of_its_session(
    api: ApiClient, order: dict[str, Any], first: int
) -> None:
    events = {
        "evt_session": completed(metadata={}, client_reference_id="{order}", payment_intent="pi_1"),
        "evt_intent": stripe(intent(id="pi_1", metadata={})),
    }
    for event_id in sorted(events, reverse=bool(first)):
        expect(200, deliver(api, order, event_id, events[event_id]))
    assert api.payment_status(order["id"]) == "paid"
    assert kinds(api) == []


def test_under_one_id_a_payment_is_applied_whatever_arrives_before_and_after_it(
    api: ApiClient, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PAYMENT_MODE", "live")
    contents: list[tuple[Fields, str]] = [
        (stripe({"id": "ch_1"}, "charge.succeeded"), ""),
        (stripe({"id": "cus_1"}, "customer.created", livemode=False), ""),
        (stripe(intent(), "payment_intent.processing"), ""),
        (stripe(intent(), livemode=False), ""),
        (stripe(intent(metadata={})), ""),
        (stripe(intent(), None), ""),
        (stripe(intent()), "text/plain"),
    ]
    payment = stripe(intent())
    for n in range(5):
        order, event_id = new_order(api), f"{OLD_TEST_ID}{n}"
        shuffled = [*contents, (payment, "")]
        Random(f"{SEED}-{n}").shuffle(shuffled)
        for event, media_type in shuffled:
            assert deliver(api, order, event_id, event, media_type).status < 500
        assert api.payment_status(order["id"]) == "paid", shuffled
        assert "conflicting_event" not in kinds(api), shuffled
        assert "needs_review" not in {entry["outcome"] for entry in api.items(EVENTS, event_id=event_id)}, shuffled
    assert expect(200, deliver(api, new_order(api), event_id, payment))["outcome"] == "needs_review"
    assert kinds(api).count("conflicting_event") == 1
    assert violations(database) == []
