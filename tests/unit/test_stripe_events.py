"""How Stripe's events are read."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from typing import Any

import pytest
import stripe

from storefront.payments.models import PaymentEvent
from storefront.payments.providers import read_event
from tests.stripe_events import NAMES, REFERENCES, stripe_event, text_of
from tests.unit import reading
from tests.unit.reading import ORDER

INTENT = "pi_3MtwBwLkdIwHu7ix28a3tqPa"

read = partial(reading.read, "stripe")


@pytest.mark.parametrize(
    ("name", "status", "event_id", "created"),
    [
        ("payment_intent.succeeded", "paid", "evt_3MtwBwLkdIwHu7ix2wOX2pDl", 1680800506),
        ("payment_intent.payment_failed", "failed", "evt_3MtweELkdIwHu7ix0nLY7gXs", 1680802252),
        ("checkout.session.completed", "paid", "evt_1MqqbKLt4dXK03v5qaIbiNCC", 1680064028),
        ("checkout.session.async_payment_succeeded", "paid", "evt_1MrTQhLt4dXK03v5bU3dTqRf", 1680237028),
        ("checkout.session.async_payment_failed", "failed", "evt_1MrTRhLt4dXK03v5fA1leD0x", 1680237128),
    ],
)
def test_stripe_payment_events_are_read(name: str, status: Any, event_id: str, created: int) -> None:
    assert read(stripe_event(name)) == PaymentEvent(
        "stripe",
        name,
        event_id=event_id,
        order_id=ORDER,
        payment_status=status,
        amount=Decimal("24.00"),
        currency="USD",
        occurred_at=datetime.fromtimestamp(created, UTC),
        livemode=False,
        payment_reference="pi_3MtweELkdIwHu7ix0Dt0gF2H" if name == "payment_intent.payment_failed" else INTENT,
        object_reference=stripe_event(name)["data"]["object"]["id"],
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_stripe_library_reads_the_fixtures(name: str) -> None:
    text = text_of(name)
    header = stripe.WebhookSignature.generate_signature_header(text, "whsec_x")
    event = stripe.Webhook.construct_event(text, header, "whsec_x")
    assert event.type in name
    assert event.data.object.to_dict() == stripe_event(name)["data"]["object"]


def refused(body: Any, pointer: str) -> PaymentEvent:
    """An event that cannot be read. pointer: the place that the response names."""
    event, problem = read_event("stripe", json.dumps(body).encode())
    assert problem is not None
    assert (problem.status, [one["pointer"] for one in problem.errors or []]) == (422, [pointer])
    assert (event.reason, event.error) == ("invalid", problem.detail)
    return event


def ignored(name: str, reason: str, **details: Any) -> PaymentEvent:
    """An event of a fixture that reports no payment."""
    event = stripe_event(name)
    created = datetime.fromtimestamp(event["created"], UTC)
    read = {"occurred_at": created, "livemode": False, "object_reference": event["data"]["object"]["id"], **details}
    return PaymentEvent("stripe", event["type"], event["id"], reason=reason, **read)


def test_other_stripe_events_are_ignored() -> None:
    body = {**stripe_event(), "type": "payment_intent.created"}
    expected = ignored("payment_intent.succeeded", "type_not_ours", order_id=ORDER, payment_reference=INTENT)
    assert read(body) == expected._replace(type="payment_intent.created")


@pytest.mark.parametrize(
    "change",
    [
        {"data": None},
        {"data": []},
        {"data": {"object": 7}},
        {"data": {"object": {"metadata": "x", "amount": "?", "currency": [], "payment_status": {}}}},
        {"object": "v2.core.event", "created": "2026-01-31T12:00:00.123456789Z", "livemode": None},
        {"id": "\ud83d", "created": {}, "livemode": "x", "account": []},
    ],
)
@pytest.mark.parametrize("type_", ["charge.succeeded", "v1.refund.created", "issuing_dispute.created", "t"])
def test_an_event_of_another_type_is_ignored_whatever_it_contains(type_: str, change: dict[str, Any]) -> None:
    event = read({**stripe_event("charge.refunded"), "type": type_, **change})
    assert (event.type, event.reason, event.payment_status) == (type_, "type_not_ours", None)
    assert event.order_id == (None if "data" in change else ORDER)


def test_the_ping_of_an_event_destination_is_acknowledged() -> None:
    # https://docs.stripe.com/event-destinations
    ping: dict[str, Any] = {
        "id": "evt_test_65RLdZiXJOaRO4Q7E16SbBWjSQWqFYQ4oyKoeMvlEXk",
        "object": "v2.core.event",
        "type": "v2.core.event_destination.ping",
        "livemode": False,
        "created": "2026-01-31T12:00:00.123456789Z",
        "related_object": {
            "id": "ed_test_1",
            "type": "v2.core.event_destination",
            "url": "/v2/core/event_destinations",
        },
    }
    assert read(ping) == PaymentEvent(
        "stripe",
        ping["type"],
        ping["id"],
        occurred_at=datetime(2026, 1, 31, 12, 0, 0, 123_456, tzinfo=UTC),
        livemode=False,
        reason="type_not_ours",
    )


@pytest.mark.parametrize("order_id", ["S-100", ORDER])
def test_a_stripe_event_with_an_order_id_is_not_the_native_format(order_id: str) -> None:
    body = {**stripe_event(), "type": "customer.created", "order_id": order_id, "payment_status": "paid"}
    assert (read(body).provider, read(body).reason) == ("stripe", "type_not_ours")


def test_a_completed_session_that_is_unpaid_is_a_payment_under_way() -> None:
    name = "checkout.session.completed.unpaid"
    expected = ignored(name, "payment_under_way", order_id=ORDER, payment_reference=INTENT)
    assert read(stripe_event(name)) == expected
    # Whatever the amount is, because no money was received.
    assert read(stripe_event(name, amount_total="?", currency=7)) == expected
    nameless = ignored(name, "no_order_named", payment_reference=INTENT)
    assert read(stripe_event(name, metadata={})) == nameless


@pytest.mark.parametrize(
    ("type_", "reason"),
    [
        ("payment_intent.processing", "payment_under_way"),
        ("payment_intent.amount_capturable_updated", "payment_under_way"),
        ("payment_intent.canceled", "payment_ended"),
        ("checkout.session.expired", "payment_ended"),
    ],
)
def test_an_event_about_the_progress_of_a_payment_says_whether_money_can_arrive(type_: str, reason: str) -> None:
    body = {**stripe_event(payment_status="unpaid", amount="?"), "type": type_}
    details = {"order_id": ORDER, "payment_reference": INTENT}
    assert read(body) == ignored("payment_intent.succeeded", reason, **details)._replace(type=type_)
    body["data"]["object"]["metadata"] = None
    assert (read(body).order_id, read(body).reason) == (None, "no_order_named")


def test_a_session_that_only_saves_a_card_is_not_a_payment() -> None:
    name = "checkout.session.completed"
    session = {"mode": "setup", "payment_status": "no_payment_required", "amount_total": None, "currency": None}
    body = stripe_event(name, **session, payment_intent=None, id="cs_1")
    assert read(body) == ignored(name, "not_paid", order_id=ORDER, payment_reference="cs_1", object_reference="cs_1")


def test_a_failed_session_is_a_failure_whatever_its_amount() -> None:
    for status in ("unpaid", "no_payment_required", None):
        body = stripe_event("checkout.session.async_payment_failed", payment_status=status, amount_total=None)
        assert read(body).payment_status == "failed"


def test_a_session_that_requires_no_payment_is_paid() -> None:
    body = stripe_event("checkout.session.completed", payment_status="no_payment_required", amount_total=0)
    assert (read(body).payment_status, read(body).amount) == ("paid", Decimal("0.00"))


@pytest.mark.parametrize("status", ["PAID", "settled", "", 7, True, []])
@pytest.mark.parametrize("name", ["checkout.session.completed", "checkout.session.async_payment_failed"])
def test_an_unknown_payment_status_of_a_session_is_refused(name: str, status: Any) -> None:
    event = refused(stripe_event(name, payment_status=status), "#/data/object/payment_status")
    assert (event.order_id, event.payment_reference, event.event_id) == (ORDER, INTENT, stripe_event(name)["id"])


METADATA: list[Any] = [None, [], 7, "x", {}, {"order_id": None}, {"order_id": "A-1"}, {"order_id": 7}, {"order_id": {}}]


@pytest.mark.parametrize("metadata", METADATA)
def test_money_without_an_order_is_reported(metadata: Any) -> None:
    name = "payment_intent.succeeded"
    paid = ignored(name, "no_order_named", payment_status="paid", amount=Decimal("24.00"), currency="USD")
    assert read(stripe_event(name, metadata=metadata)) == paid._replace(payment_reference=INTENT)
    unclear = read(stripe_event(name, metadata=metadata, amount_received="?"))
    assert (unclear.payment_status, unclear.amount, unclear.reason) == ("paid", None, "no_order_named")


@pytest.mark.parametrize("metadata", METADATA)
def test_a_failure_without_an_order_reports_nothing(metadata: Any) -> None:
    name = "payment_intent.payment_failed"
    event = read(stripe_event(name, metadata=metadata))
    assert event == ignored(name, "no_order_named", payment_reference="pi_3MtweELkdIwHu7ix0Dt0gF2H")


@pytest.mark.parametrize("metadata", METADATA)
def test_client_reference_id_names_the_order_if_metadata_does_not(metadata: Any) -> None:
    other = "c0000000-0000-4000-8000-000000000003"
    name = "checkout.session.completed"
    assert read(stripe_event(name, metadata=metadata, client_reference_id=f" {other}\n")).order_id == other
    event = read(stripe_event(name, metadata={"order_id": ORDER}, client_reference_id=other))
    assert event.order_id == ORDER
    assert read(stripe_event(name, metadata=metadata, client_reference_id="cart-7")).reason == "no_order_named"


@pytest.mark.parametrize(
    ("intent", "reference"),
    [
        ("pi_1", "pi_1"),
        ({"id": "pi_1", "object": "payment_intent"}, "pi_1"),
        (None, "cs_1"),
        ({}, "cs_1"),
        ({"id": None}, "cs_1"),
        ([], "cs_1"),
        ("\ud83d", "cs_1"),
    ],
)
def test_a_session_refers_to_its_payment_intent(intent: Any, reference: str) -> None:
    body = stripe_event("checkout.session.completed", payment_intent=intent, id="cs_1")
    assert read(body).payment_reference == reference


@pytest.mark.parametrize(("type_", "sent", "payment", "about"), REFERENCES)
def test_the_references_of_the_payment_and_of_the_object_are_kept(
    type_: str, sent: Any, payment: str | None, about: str | None
) -> None:
    event, _ = read_event("stripe", json.dumps({"id": "evt_1", "type": type_, "data": {"object": sent}}).encode())
    assert (event.payment_reference, event.object_reference) == (payment, about)


@pytest.mark.parametrize("type_", [None, {}])
def test_an_event_without_a_type_keeps_the_reference_of_its_object(type_: Any) -> None:
    event = refused({**stripe_event(), "type": type_}, "#/type")
    assert (event.payment_reference, event.object_reference) == (None, INTENT)


@pytest.mark.parametrize(
    "form", [ORDER.upper(), f" {ORDER}\n", f"{{{ORDER}}}", ORDER.replace("-", ""), f"urn:uuid:{ORDER}"]
)
def test_an_order_id_in_metadata_may_have_any_common_form(form: str) -> None:
    body = stripe_event(metadata={"order_id": form, "cart": "7"})
    assert read(body).order_id == ORDER


@pytest.mark.parametrize("type_", [None, "", 7, ["payment_intent.succeeded"]])
def test_a_stripe_event_without_a_type_is_refused(type_: Any) -> None:
    event = refused({**stripe_event(), "type": type_}, "#/type")
    assert (event.event_id, event.order_id, event.payment_status) == (stripe_event()["id"], ORDER, None)


@pytest.mark.parametrize("id_", [None, "", True, "e" * 256, "\0", "\ud83d", []])
def test_an_event_whose_id_cannot_be_read_has_none(id_: Any) -> None:
    event = read({**stripe_event(), "id": id_})
    assert (event.event_id, event.payment_status) == (None, "paid")


def test_the_id_of_an_event_may_be_a_number() -> None:
    assert read({**stripe_event(), "id": 7}).event_id == "7"


@pytest.mark.parametrize("data", [None, [], 7, {}, {"object": None}, {"object": []}])
def test_a_payment_about_nothing_is_money_without_an_order(data: Any) -> None:
    event = read({**stripe_event(), "data": data})
    assert (event.payment_status, event.amount, event.reason) == ("paid", None, "no_order_named")


def test_the_account_of_a_connected_event_is_read() -> None:
    event = read({**stripe_event(), "account": "acct_1", "livemode": True})
    assert (event.account, event.livemode) == ("acct_1", True)


@pytest.mark.parametrize("created", [None, 10**9, 10**10 - 1])
def test_a_stripe_event_may_have_any_valid_creation_time(created: int | None) -> None:
    found = read({**stripe_event("charge.refunded"), "created": created}).occurred_at
    assert found == (None if created is None else datetime.fromtimestamp(created, UTC))


@pytest.mark.parametrize("created", ["now", -1, 0, 10**18, "2026-01-31", [], True])
def test_a_creation_time_that_cannot_be_read_is_none(created: Any) -> None:
    event = read({**stripe_event(), "created": created})
    assert (event.occurred_at, event.payment_status) == (None, "paid")
