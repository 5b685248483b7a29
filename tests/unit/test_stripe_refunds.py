"""How Stripe's events about refunds are read."""

from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from storefront.payments.models import PaymentEvent
from tests.stripe_events import REFUND_TYPES, stripe_event
from tests.unit import reading
from tests.unit.reading import ORDER, REFUND

INTENT = "pi_3MtwBwLkdIwHu7ix28a3tqPa"

read = partial(reading.read, "stripe")
refused = partial(reading.refused, "stripe")


@pytest.mark.parametrize(
    ("name", "status", "created"),
    [
        ("refund.created", "pending", 1680886907),
        ("refund.updated", "succeeded", 1680973307),
        ("refund.failed", "failed", 1681491707),
    ],
)
def test_the_refund_that_storefront_requested_is_read(name: str, status: Any, created: int) -> None:
    assert read(stripe_event(name)) == PaymentEvent(
        "stripe",
        name,
        event_id=stripe_event(name)["id"],
        order_id=ORDER,
        refund_id=REFUND,
        refund_status=status,
        amount=Decimal("10.00"),
        currency="USD",
        occurred_at=datetime.fromtimestamp(created, UTC),
        livemode=False,
        payment_reference=INTENT,
        object_reference="re_3MtwBwLkdIwHu7ix2P0tQ9aB",
    )


def test_a_refund_that_was_made_at_stripe_names_only_its_payment() -> None:
    name = "charge.refund.updated"
    assert read(stripe_event(name)) == PaymentEvent(
        "stripe",
        name,
        event_id="evt_3MtwBwLkdIwHu7ix2Cu4kLmN",
        refund_status="failed",
        amount=Decimal("10.00"),
        currency="USD",
        occurred_at=datetime.fromtimestamp(1681491708, UTC),
        livemode=False,
        payment_reference=INTENT,
        object_reference="re_3MtwBwLkdIwHu7ix2D4sHb0d",
    )


@pytest.mark.parametrize("type_", REFUND_TYPES)
@pytest.mark.parametrize(
    ("sent", "status"),
    [
        ("pending", "pending"),
        ("requires_action", "pending"),
        (None, "pending"),
        ("succeeded", "succeeded"),
        ("failed", "failed"),
        ("canceled", "canceled"),
    ],
)
def test_the_status_of_the_refund_counts_whatever_the_type(type_: str, sent: str | None, status: str) -> None:
    event = read({**stripe_event("refund.updated", status=sent), "type": type_})
    assert (event.type, event.refund_status, event.payment_status, event.reason) == (type_, status, None, None)


@pytest.mark.parametrize("status", ["", "SUCCEEDED", "refunded", 7, True, [], {}, "\0"])
def test_an_unknown_status_of_a_refund_is_refused(status: Any) -> None:
    event = refused(stripe_event("refund.updated", status=status), "#/data/object/status")
    assert event.error == "#/data/object/status: Input should be a status of a refund"
    assert (event.refund_status, event.reason, event.amount) == (None, "invalid", Decimal("10.00"))
    assert (event.refund_id, event.order_id, event.payment_reference) == (REFUND, ORDER, INTENT)


@pytest.mark.parametrize("type_", REFUND_TYPES)
@pytest.mark.parametrize("id_", [None, "", "\0", []])
def test_a_refund_without_any_id_is_refused(type_: str, id_: Any) -> None:
    event = refused({**stripe_event("refund.updated", id=id_, metadata={}), "type": type_}, "#/data/object/id")
    assert event.error == "#/data/object/id: Input should be the ID of the refund"
    assert (event.refund_status, event.reason) == ("succeeded", "invalid")


def test_one_of_the_two_ids_of_a_refund_is_enough() -> None:
    event = read(stripe_event("refund.updated", id=None))
    assert (event.object_reference, event.refund_id, event.refund_status) == (None, REFUND, "succeeded")
    event = read(stripe_event("refund.updated", metadata={}))
    assert (event.object_reference, event.refund_id, event.refund_status) == (
        "re_3MtwBwLkdIwHu7ix2P0tQ9aB",
        None,
        "succeeded",
    )


def test_everything_that_decides_and_cannot_be_read_is_named() -> None:
    event = refused(stripe_event("refund.updated", id=None, metadata=[], status="x"), "#/data/object/status")
    assert str(event.error).count("#/data/object/") == 2


@pytest.mark.parametrize("form", [REFUND.upper(), f" {REFUND}\n", REFUND.replace("-", "")])
def test_the_id_of_storefronts_refund_may_have_any_common_form(form: str) -> None:
    event = read(stripe_event("refund.updated", metadata={"refund_id": form}))
    assert (event.refund_id, event.order_id, event.reason) == (REFUND, None, None)


@pytest.mark.parametrize("refund_id", [None, "", "R-7", 7, [], {}, f"{REFUND}\0"])
def test_a_refund_id_of_another_system_is_ignored(refund_id: Any) -> None:
    event = read(stripe_event("refund.updated", metadata={"refund_id": refund_id, "order_id": "A-1"}))
    assert (event.refund_id, event.order_id, event.refund_status, event.reason) == (None, None, "succeeded", None)


@pytest.mark.parametrize(
    ("payment", "reference"),
    [
        ({"payment_intent": "pi_1"}, "pi_1"),
        ({"payment_intent": {"id": "pi_1"}, "charge": "ch_1"}, "pi_1"),
        ({"payment_intent": None, "charge": "ch_1"}, "ch_1"),
        ({"payment_intent": None, "charge": {"id": "ch_1"}}, "ch_1"),
    ],
)
def test_a_refund_names_its_payment(payment: dict[str, Any], reference: str) -> None:
    assert read(stripe_event("refund.updated", **payment)).payment_reference == reference


NAMELESS: dict[str, Any] = {"payment_intent": None, "charge": None}


@pytest.mark.parametrize("metadata", [{"order_id": ORDER}, {"refund_id": REFUND}])
def test_a_refund_may_name_its_order_or_its_request_instead_of_the_payment(metadata: Any) -> None:
    event = read(stripe_event("refund.updated", **NAMELESS, metadata=metadata))
    assert (event.payment_reference, event.refund_status, event.reason) == (None, "succeeded", None)


@pytest.mark.parametrize("type_", REFUND_TYPES)
@pytest.mark.parametrize(
    "change", [{}, {"status": "new"}, {"id": None}, {"amount": "?"}, {"metadata": {"order_id": 7}}]
)
def test_a_refund_of_no_payment_is_ignored(type_: str, change: dict[str, Any]) -> None:
    # Stripe also refunds the balance of a customer.
    event = read({**stripe_event("refund.updated", **{**NAMELESS, "metadata": {}, **change}), "type": type_})
    assert (event.type, event.refund_status, event.reason) == (type_, None, "no_payment_named")


@pytest.mark.parametrize("type_", [*REFUND_TYPES, "charge.refunded"])
@pytest.mark.parametrize("data", [[], 7, {"object": None}, {"object": []}])
def test_an_event_about_nothing_is_ignored(type_: str, data: Any) -> None:
    event = read({**stripe_event("refund.updated"), "type": type_, "data": data})
    assert (event.refund_status, event.amount, event.reason) == (None, None, "no_payment_named")


@pytest.mark.parametrize("reason", ["expired_uncaptured_charge", "partial_capture"])
@pytest.mark.parametrize("change", [{}, {"status": "new"}, NAMELESS])
def test_the_release_of_an_authorization_returns_no_money(reason: str, change: dict[str, Any]) -> None:
    event = read(stripe_event("refund.updated", reason=reason, **change))
    assert (event.refund_status, event.amount, event.reason) == (None, None, "not_captured")
    assert event.order_id == ORDER


@pytest.mark.parametrize("reason", [None, "duplicate", "fraudulent", "requested_by_customer", "new", 7, [], {}])
def test_other_reasons_of_a_refund_decide_nothing(reason: Any) -> None:
    assert read(stripe_event("refund.updated", reason=reason)).refund_status == "succeeded"


@pytest.mark.parametrize(
    ("money", "amount", "currency"),
    [
        ({"amount": 1}, "0.01", "USD"),
        ({"amount": 0}, "0.00", "USD"),
        ({"amount": 1000, "currency": "jpy"}, "1000.00", "JPY"),
        ({"amount": None}, None, "USD"),
        ({"amount": None, "currency": None}, None, None),
    ],
)
def test_the_amount_of_a_refund_is_in_minor_units(money: Any, amount: str | None, currency: str | None) -> None:
    event = read(stripe_event("refund.updated", **money))
    assert (event.amount, event.currency) == (amount and Decimal(amount), currency)
    assert (event.refund_status, event.reason) == ("succeeded", None)


@pytest.mark.parametrize("status", ["pending", "succeeded", "failed", "canceled"])
@pytest.mark.parametrize("money", [{"amount": "10.00"}, {"amount": 0.5}, {"currency": "$"}, {"currency": None}])
def test_an_amount_that_cannot_be_read_is_not_a_missing_amount(status: str, money: dict[str, Any]) -> None:
    event = read(stripe_event("refund.updated", status=status, **money))
    assert (event.refund_status, event.amount, event.reason) == (status, None, "amount_unreadable")


def test_a_refunded_charge_reports_the_total_of_its_refunds() -> None:
    name = "charge.refunded"
    assert read(stripe_event(name, amount_refunded=1500)) == PaymentEvent(
        "stripe",
        name,
        event_id="evt_3MmlLrLkdIwHu7ix0uke3Ezy",
        order_id=ORDER,
        amount=Decimal("15.00"),
        currency="USD",
        occurred_at=datetime.fromtimestamp(1679090600, UTC),
        livemode=False,
        payment_reference=INTENT,
        object_reference="ch_3MmlLrLkdIwHu7ix0snN0B15",
        reason="refund_total",
    )


@pytest.mark.parametrize(
    ("change", "amount"),
    [
        # Captured in full, in part, not at all, and more than was authorized.
        ({"amount_refunded": 1000, "amount_captured": 2400}, "10.00"),
        ({"amount_refunded": 1000, "amount_captured": 2000}, "6.00"),
        ({"amount_refunded": 2400, "amount_captured": 0}, "0.00"),
        ({"amount_refunded": 1000, "amount_captured": 2500}, "10.00"),
        ({"amount_refunded": 100, "amount_captured": 2000}, "0.00"),
        # Releases of Stripe's API before 2020 do not have amount_captured.
        ({"amount_refunded": 1000, "amount_captured": None}, "10.00"),
        ({"amount_refunded": 1000, "amount": "?"}, "10.00"),
        ({"amount_refunded": 0}, "0.00"),
        ({"amount_refunded": 1000, "currency": "jpy", "amount_captured": 2300}, "900.00"),
        ({"amount_refunded": 1001, "currency": "kwd", "amount_captured": 2399}, "1.000"),
    ],
)
def test_the_total_is_the_captured_money_that_was_refunded(change: dict[str, Any], amount: str) -> None:
    event = read(stripe_event("charge.refunded", **change))
    assert (event.amount, event.refund_status, event.reason) == (Decimal(amount), None, "refund_total")


@pytest.mark.parametrize("money", [{"amount_refunded": "?"}, {"amount_refunded": None}, {"currency": "$"}])
def test_a_total_that_cannot_be_read_is_none(money: dict[str, Any]) -> None:
    event = read(stripe_event("charge.refunded", **money))
    assert (event.amount, event.reason, event.error) == (None, "refund_total", None)


@pytest.mark.parametrize(
    ("intent", "reference"), [("pi_1", "pi_1"), ({"id": "pi_1"}, "pi_1"), (None, "ch_1"), ([], "ch_1")]
)
def test_a_charge_without_a_payment_intent_is_the_payment(intent: Any, reference: str) -> None:
    event = read(stripe_event("charge.refunded", id="ch_1", payment_intent=intent, metadata={}))
    assert (event.payment_reference, event.object_reference, event.reason) == (reference, "ch_1", "refund_total")


def test_the_total_of_a_payment_without_a_reference_may_name_its_order() -> None:
    event = read(stripe_event("charge.refunded", id=None, payment_intent=None))
    assert (event.payment_reference, event.order_id, event.reason) == (None, ORDER, "refund_total")
    event = read(stripe_event("charge.refunded", id=None, payment_intent=None, metadata={}))
    assert event.reason == "no_payment_named"
