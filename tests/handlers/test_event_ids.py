"""Event IDs: which payment events are the same, and which contents are in conflict."""

import hashlib
import json
from typing import Any, get_args

import pytest

from storefront.payments.signatures import Scheme
from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.conftest import new_order, stripe_event_for


def test_a_repeated_event_is_applied_once(api: ApiClient, order: dict[str, Any]) -> None:
    outcomes = [expect(200, api.pay(order["id"], "failed", event_id="evt_1"))["outcome"] for _ in range(3)]
    assert outcomes == ["applied", "duplicate", "duplicate"]
    expect(200, api.pay(order["id"], "paid", event_id="evt_2"))
    assert expect(200, api.pay(order["id"], "failed", event_id="evt_1"))["outcome"] == "duplicate"
    assert api.payment_status(order["id"]) == "paid"


def test_the_same_event_in_another_notation_is_a_duplicate(api: ApiClient, order: dict[str, Any]) -> None:
    body = stripe_event_for(order)
    assert expect(200, api.deliver(body, "stripe"))["outcome"] == "applied"
    # Stripe counts the endpoints that it has not sent the event to.
    assert expect(200, api.deliver({**body, "pending_webhooks": 0}, "stripe"))["outcome"] == "duplicate"


@pytest.mark.parametrize(
    "change",
    [{"payment_status": "failed"}, {"amount": "4.50"}, {"currency": "USD"}, {"order_id": UNKNOWN}],
    ids=lambda change: next(iter(change)),
)
def test_an_event_id_with_other_content_needs_review_and_is_not_applied(
    api: ApiClient, order: dict[str, Any], change: dict[str, str]
) -> None:
    first = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
    assert expect(200, api.deliver(first))["outcome"] == "applied"
    outcomes = [expect(200, api.deliver(body))["outcome"] for body in ({**first, **change}, {**first, **change}, first)]
    assert outcomes == ["needs_review", "duplicate", "duplicate"]
    assert api.payment_status(order["id"]) == "paid"


def test_an_event_id_belongs_to_its_scheme(api: ApiClient, order: dict[str, Any]) -> None:
    body = {"order_id": order["id"], "payment_status": "failed", "event_id": "evt_1"}
    assert expect(200, api.deliver(body))["outcome"] == "applied"
    changed = {**body, "payment_status": "paid"}
    assert expect(200, api.deliver(changed, "standard_webhooks"))["outcome"] == "applied"


def test_an_attempt_counts_for_the_event_of_its_scheme(api: ApiClient, order: dict[str, Any]) -> None:
    body = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
    # The inbox is searched in the order of the schemes' names.
    assert api.deliver({**body, "order_id": UNKNOWN}, "standard_webhooks").status == 404
    schemes = ("x_signature", "stripe", "x_signature")
    outcomes = [expect(200, api.deliver(body, scheme))["outcome"] for scheme in schemes]
    # Each scheme has its own IDs, so these are two payments.
    assert outcomes == ["applied", "needs_refund", "duplicate"]
    attempts = {event["scheme"]: event["attempts"] for event in api.items("/api/payment-events")}
    assert attempts == {"standard_webhooks": 1, "x_signature": 2, "stripe": 1}


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("has_event_id", [True, False])
def test_an_event_is_identified_by_event_id_then_webhook_id_then_body(
    api: ApiClient, order: dict[str, Any], scheme: str, *, has_event_id: bool
) -> None:
    body = {"order_id": order["id"], "payment_status": "paid", **({"event_id": "evt_1"} if has_event_id else {})}
    fallback_id = "msg_7" if scheme == "standard_webhooks" else hashlib.sha256(json.dumps(body).encode()).hexdigest()
    assert expect(200, api.deliver(body, scheme, "msg_7"))["event_id"] == ("evt_1" if has_event_id else fallback_id)


@pytest.mark.parametrize("ids", [(b"evt_\xfc", b"evt_\xf6"), (b" ", b" "), (b"evt_\\u0000", b"evt_\\u0000")])
def test_two_payments_whose_ids_cannot_be_read_are_both_applied(api: ApiClient, ids: tuple[bytes, bytes]) -> None:
    for event_id in ids:
        order_id = new_order(api)["id"].encode()
        body = b'{"order_id": "%b", "payment_status": "paid", "event_id": "%b"}' % (order_id, event_id)
        assert expect(200, api.deliver(body))["outcome"] == "applied"
