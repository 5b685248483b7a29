"""How Stripe's events are read."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import stripe
from pydantic import ValidationError

from storefront.currencies import EXPONENTS
from storefront.payments import providers
from storefront.payments.models import PaymentEvent
from tests.stripe_events import NAMES, stripe_event, text_of

ORDER = "b0000000-0000-4000-8000-000000000003"


def read(body: Any) -> PaymentEvent:
    return providers.payment_event("stripe", json.dumps(body).encode())


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
    )


@pytest.mark.parametrize("name", NAMES)
def test_the_stripe_library_reads_the_fixtures(name: str) -> None:
    text = text_of(name)
    header = stripe.WebhookSignature.generate_signature_header(text, "whsec_x")
    event = stripe.Webhook.construct_event(text, header, "whsec_x")
    assert event.type in name
    assert event.data.object["metadata"]["order_id"] == ORDER


def ignored(name: str, reason: str, **details: Any) -> PaymentEvent:
    event = stripe_event(name)
    created = datetime.fromtimestamp(event["created"], UTC)
    return PaymentEvent("stripe", event["type"], event["id"], occurred_at=created, reason=reason, **details)


def test_other_stripe_events_are_ignored() -> None:
    assert read(stripe_event("charge.refunded")) == ignored("charge.refunded", "type_not_ours")


@pytest.mark.parametrize("order_id", ["S-100", ORDER])
def test_a_stripe_event_with_an_order_id_is_not_the_native_format(order_id: str) -> None:
    body = {**stripe_event("charge.refunded"), "order_id": order_id, "payment_status": "paid"}
    assert read(body) == ignored("charge.refunded", "type_not_ours")


def test_a_completed_session_that_is_unpaid_is_not_a_payment() -> None:
    name = "checkout.session.completed.unpaid"
    assert read(stripe_event(name)) == ignored(name, "not_paid", order_id=ORDER)


def test_a_session_that_only_saves_a_card_is_not_a_payment() -> None:
    name = "checkout.session.completed"
    session = {"mode": "setup", "payment_status": "no_payment_required", "amount_total": None, "currency": None}
    assert read(stripe_event(name, **session)) == ignored(name, "not_paid", order_id=ORDER)


def test_a_session_that_requires_no_payment_is_paid() -> None:
    body = stripe_event("checkout.session.completed", payment_status="no_payment_required", amount_total=0)
    assert (read(body).payment_status, read(body).amount) == ("paid", Decimal("0.00"))


@pytest.mark.parametrize(
    "metadata", [None, {}, {"order_id": None}, {"order_id": "A-1"}, {"order_id": 7}, {"order_id": {}}]
)
def test_a_stripe_event_without_a_valid_order_id_is_ignored(metadata: Any) -> None:
    name = "payment_intent.succeeded"
    assert read(stripe_event(name, metadata=metadata)) == ignored(name, "no_order_named")


def test_an_order_id_in_metadata_may_be_in_uppercase() -> None:
    body = stripe_event(metadata={"order_id": ORDER.upper(), "cart": "7"})
    assert read(body).order_id == ORDER


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("usd", "24.00"), ("JPY", "2400.00"), ("kwd", "2.40"), ("krw", "2400.00"), ("isk", "24.00"), ("ugx", "24.00")],
)
def test_minor_units_depend_on_the_currency(currency: str, amount: str) -> None:
    event = read(stripe_event(currency=currency))
    assert (str(event.amount), event.currency) == (amount, currency.upper())


def test_currencies_with_other_minor_units_match_the_stripe_documentation() -> None:
    by_exponent = {n: "".join(name for name, m in EXPONENTS.items() if m == n) for n in (0, 3)}
    assert by_exponent == {0: "BIFCLPDJFGNFJPYKMFKRWMGAPYGRWFVNDVUVXAFXOFXPF", 3: "BHDJODKWDOMRTND"}


def test_a_stripe_amount_keeps_its_third_decimal_place() -> None:
    event = read(stripe_event(currency="kwd", amount_received=2401))
    assert str(event.amount) == "2.401"


def test_amount_received_takes_precedence_over_amount() -> None:
    body = stripe_event(amount=2400, amount_received=2399)
    assert read(body).amount == Decimal("23.99")


def test_amount_is_used_if_amount_received_is_missing() -> None:
    assert read(stripe_event(amount=2399, amount_received=None)).amount == Decimal("23.99")
    assert read(stripe_event(amount=2400, amount_received=0)).amount == Decimal("0.00")


def test_a_stripe_event_may_have_no_amount() -> None:
    event = read(stripe_event(amount=None, amount_received=None))
    assert (event.amount, event.currency, event.payment_status) == (None, "USD", "paid")
    event = read(stripe_event(amount=None, amount_received=None, currency=None))
    assert (event.amount, event.currency, event.payment_status) == (None, None, "paid")


@pytest.mark.parametrize("field", ["amount", "amount_received", "amount_total"])
def test_an_amount_without_a_currency_is_refused(field: str) -> None:
    none: dict[str, Any] = {"amount": None, "amount_received": None, "currency": None}
    with pytest.raises(ValidationError, match="should have a currency"):
        read(stripe_event(**{**none, field: 0}))


@pytest.mark.parametrize(
    "change",
    [
        lambda event: event.pop("id"),
        lambda event: event.update(id=""),
        lambda event: event.update(id=7),
        lambda event: event.update(id="e" * 256),
        lambda event: event.update(id="\0"),
        lambda event: event.pop("type"),
        lambda event: event.update(created="now"),
        lambda event: event.update(created=-1),
        lambda event: event.update(created=253_402_300_800),
        lambda event: event.pop("data"),
        lambda event: event.update(data=[]),
        lambda event: event["data"].pop("object"),
        lambda event: event["data"]["object"].update(amount_received="2400"),
        lambda event: event["data"]["object"].update(amount_received=24.5),
        lambda event: event["data"]["object"].update(amount_received=-1),
        lambda event: event["data"]["object"].update(amount_received=10**15 + 1),
        lambda event: event["data"]["object"].update(currency="$"),
        lambda event: event["data"]["object"].update(metadata=[]),
    ],
)
def test_an_invalid_stripe_event_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    body = stripe_event()
    change(body)
    with pytest.raises(ValidationError):
        read(body)


@pytest.mark.parametrize("created", [None, 0, 253_402_300_799])
def test_a_stripe_event_may_have_any_valid_creation_time(created: int | None) -> None:
    found = read({**stripe_event("charge.refunded"), "created": created}).occurred_at
    assert found == (None if created is None else datetime.fromtimestamp(created, UTC))


def test_the_largest_amount_is_accepted() -> None:
    event = read(stripe_event(amount_received=10**15))
    assert event.amount == Decimal(10**13)
