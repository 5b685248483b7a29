"""How Stripe's events about disputes are read."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storefront.payments.models import PaymentEvent
from tests.stripe_events import DISPUTE_TYPES, stripe_event
from tests.unit import reading
from tests.unit.reading import ORDER

INTENT = "pi_3MtwBwLkdIwHu7ix28a3tqPa"

read = partial(reading.read, "stripe")
refused = partial(reading.refused, "stripe")


@pytest.mark.parametrize(
    ("name", "status", "created"),
    [("charge.dispute.created", "open", 1681318907), ("charge.dispute.closed", "lost", 1682121600)],
)
def test_a_dispute_is_read(name: str, status: Any, created: int) -> None:
    assert read(stripe_event(name)) == PaymentEvent(
        "stripe",
        name,
        event_id=stripe_event(name)["id"],
        dispute_status=status,
        amount=Decimal("24.00"),
        currency="USD",
        occurred_at=datetime.fromtimestamp(created, UTC),
        livemode=False,
        payment_reference=INTENT,
        object_reference="dp_1MtwDwLkdIwHu7ixZ2o8sQfT",
    )


@pytest.mark.parametrize("type_", DISPUTE_TYPES)
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("warning_needs_response", "open"),
        ("warning_under_review", "open"),
        ("needs_response", "open"),
        ("under_review", "open"),
        # A dispute that was lost can be open again.
        ("appeal_needs_response", "open"),
        ("appeal_under_review", "open"),
        ("won", "won"),
        ("lost", "lost"),
        # The dispute itself took no money. If a refund ended it, the refund has its own events.
        ("warning_closed", "won"),
        ("prevented", "won"),
        ("charge_refunded", "won"),
    ],
)
def test_the_status_of_the_dispute_counts_whatever_the_type(type_: str, sent: str, status: str) -> None:
    event = read({**stripe_event("charge.dispute.closed", status=sent), "type": type_})
    assert (event.type, event.dispute_status, event.refund_status, event.reason) == (type_, status, None, None)


@pytest.mark.parametrize("type_", DISPUTE_TYPES)
@pytest.mark.parametrize("status", [None, "", "LOST", "closed", 7, True, [], {}, "\0"])
def test_an_unknown_status_of_a_dispute_is_refused(type_: str, status: Any) -> None:
    body = {**stripe_event("charge.dispute.closed", status=status), "type": type_}
    event = refused(body, "#/data/object/status")
    assert event.error == "#/data/object/status: Input should be a status of a dispute"
    assert (event.dispute_status, event.reason, event.amount) == (None, "invalid", Decimal("24.00"))
    assert event.payment_reference == INTENT


@pytest.mark.parametrize(
    ("payment", "reference"),
    [
        ({"payment_intent": "pi_1"}, "pi_1"),
        ({"payment_intent": {"id": "pi_1"}, "charge": {"id": "ch_1"}}, "pi_1"),
        ({"payment_intent": None, "charge": "ch_1"}, "ch_1"),
    ],
)
def test_a_dispute_names_its_payment(payment: dict[str, Any], reference: str) -> None:
    assert read(stripe_event("charge.dispute.closed", **payment)).payment_reference == reference


def test_a_dispute_may_name_its_order_instead_of_the_payment() -> None:
    nameless: dict[str, Any] = {"payment_intent": None, "charge": None, "metadata": {"order_id": ORDER}}
    event = read(stripe_event("charge.dispute.closed", **nameless))
    assert (event.payment_reference, event.order_id, event.dispute_status, event.reason) == (None, ORDER, "lost", None)


@pytest.mark.parametrize("type_", DISPUTE_TYPES)
@pytest.mark.parametrize("data", [[], {"object": None}, {"object": {"id": "dp_1", "status": "new"}}])
def test_a_dispute_of_no_payment_is_ignored(type_: str, data: Any) -> None:
    event = read({**stripe_event("charge.dispute.closed"), "type": type_, "data": data})
    assert (event.dispute_status, event.amount, event.reason) == (None, None, "no_payment_named")


def test_a_dispute_may_have_no_id() -> None:
    event = read(stripe_event("charge.dispute.closed", id=None))
    assert (event.object_reference, event.dispute_status) == (None, "lost")


def test_a_dispute_has_no_refund_id() -> None:
    event = read(stripe_event("charge.dispute.closed", metadata={"refund_id": ORDER}))
    assert (event.refund_id, event.dispute_status) == (None, "lost")


@pytest.mark.parametrize(("units", "amount"), [(2399, "23.99"), (0, "0.00"), (None, None)])
def test_the_amount_of_a_dispute_is_in_minor_units(units: int | None, amount: str | None) -> None:
    event = read(stripe_event("charge.dispute.created", amount=units))
    assert (event.amount, event.currency, event.reason) == (amount and Decimal(amount), "USD", None)


@pytest.mark.parametrize("status", ["needs_response", "won", "lost"])
@pytest.mark.parametrize("money", [{"amount": "24.00"}, {"currency": "$"}, {"currency": None}])
def test_an_amount_that_cannot_be_read_is_not_a_missing_amount(status: str, money: dict[str, Any]) -> None:
    event = read(stripe_event("charge.dispute.closed", status=status, **money))
    assert (event.amount, event.reason) == (None, "amount_unreadable")
    assert event.dispute_status is not None
