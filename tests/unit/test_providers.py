"""What each processor's events mean, in our own terms."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, get_args

import pytest
import stripe
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from storefront.payments import providers
from storefront.payments.models import PaymentEvent
from storefront.payments.providers import PROVIDERS, payment_event
from storefront.payments.signatures import Scheme
from tests.sizes import size

# Events as Stripe's API reference describes them. https://docs.stripe.com/api/events
STRIPE_EVENTS = Path(__file__).parent.parent / "fixtures" / "stripe"
ORDER = "b0000000-0000-4000-8000-000000000003"
OWN = {"order_id": ORDER, "payment_status": "paid"}


def read(scheme: Scheme, body: Any) -> PaymentEvent:
    return payment_event(scheme, body if isinstance(body, bytes) else json.dumps(body).encode())


def stripe_event(name: str, **changes: Any) -> dict[str, Any]:
    """A fixture; changes are to its object."""
    event: dict[str, Any] = json.loads((STRIPE_EVENTS / f"{name}.json").read_text())
    event["data"]["object"] |= changes
    return event


def envelope(type_: Any = "payment.paid", data: Any = None, **others: Any) -> dict[str, Any]:
    return {"type": type_, "data": {"order_id": ORDER} if data is None else data, **others}


def test_every_scheme_has_a_provider() -> None:
    assert set(PROVIDERS) == set(get_args(Scheme))


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("status", ["paid", "failed"])
def test_the_shop_s_own_format_is_read_in_every_scheme(scheme: Scheme, status: Any) -> None:
    assert read(scheme, {"order_id": ORDER.upper(), "payment_status": status}) == PaymentEvent(
        "storefront", order_id=ORDER, payment_status=status
    )


def test_it_may_say_more_and_carry_what_nobody_knows() -> None:
    more = {"event_id": "evt_1", "amount": "19.90", "currency": "eur", "occurred_at": "2026-01-31T12:00:00+01:00"}
    assert read(
        "x_signature", {**OWN, **more, "livemode": False, "type": "payment.failed", "data": []}
    ) == PaymentEvent(
        "storefront",
        event_id="evt_1",
        order_id=ORDER,
        payment_status="paid",
        amount=Decimal("19.90"),
        currency="EUR",
        occurred_at=datetime(2026, 1, 31, 11, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    ("sent", "amount"),
    [
        ("0", "0.00"),
        ("0.00", "0.00"),
        ("19.9", "19.90"),
        ("19.90", "19.90"),
        ("19.900", "19.90"),
        ("19.901", "19.901"),
        ("19.909", "19.909"),
        ("0.000001", "0.000001"),
        ("999999999999", "999999999999.00"),
        (19.9, "19.90"),
        (19, "19.00"),
        (0.1, "0.10"),
        (None, None),
    ],
)
def test_an_amount_is_taken_to_its_last_digit(sent: Any, amount: str | None) -> None:
    found = read("x_signature", {**OWN, "amount": sent}).amount
    assert found == (None if amount is None else Decimal(amount))
    assert str(found) == str(amount)


BROKEN: list[tuple[str, Any]] = [
    ("order_id", "7"),
    ("order_id", 7),
    ("order_id", f"{ORDER}\n"),
    ("payment_status", "unpaid"),
    ("payment_status", "PAID"),
    ("payment_status", None),
    ("payment_status", True),
    ("event_id", ""),
    ("event_id", "e" * 256),
    ("event_id", "e\0"),
    ("event_id", 7),
    ("amount", "-0.01"),
    ("amount", -1),
    ("amount", "1e2"),
    ("amount", "1,5"),
    ("amount", " 1"),
    ("amount", ""),
    ("amount", "١"),
    ("amount", "0.0000001"),
    ("amount", "1000000000000"),
    ("amount", 1e400),
    ("amount", float("nan")),
    ("amount", True),
    ("amount", []),
    ("currency", "US"),
    ("currency", "US$"),
    ("currency", "ÜSD"),
    ("currency", "USDUSDUSDUSD"),
    ("currency", "USD\n"),
    ("currency", 840),
    ("occurred_at", "yesterday"),
    ("occurred_at", "2026-01-31T12:00:00"),
    ("occurred_at", 1700000000),
]


@pytest.mark.parametrize(("field", "value"), BROKEN)
def test_a_field_of_the_shop_s_own_format_that_is_broken_is_named(field: str, value: Any) -> None:
    bodies: list[tuple[Scheme, Any, tuple[str, ...]]] = [("x_signature", {**OWN, field: value}, (field,))]
    if field != "payment_status":
        bodies.append(("standard_webhooks", envelope(data={"order_id": ORDER, field: value}), ("data", field)))
    for scheme, body, where in bodies:
        with pytest.raises(ValidationError) as refused:
            read(scheme, body)
        assert [error["loc"] for error in refused.value.errors() if error["type"] != "json_invalid"] in ([where], [])


@pytest.mark.parametrize(("type_", "status"), [("payment.paid", "paid"), ("payment.failed", "failed")])
def test_an_envelope_s_type_says_the_status(type_: str, status: Any) -> None:
    data = {"order_id": ORDER, "event_id": "evt_1", "amount": "5", "currency": "USD"}
    expected = PaymentEvent(
        "standard_webhooks",
        type_,
        event_id="evt_1",
        order_id=ORDER,
        payment_status=status,
        amount=Decimal("5.00"),
        currency="USD",
    )
    assert read("standard_webhooks", envelope(type_, data)) == expected
    assert read("standard_webhooks", envelope(type_, {**data, "payment_status": status})) == expected


def test_an_envelope_whose_data_says_another_status_is_refused() -> None:
    with pytest.raises(ValidationError, match="should say the same"):
        read("standard_webhooks", envelope("payment.paid", {"order_id": ORDER, "payment_status": "failed"}))


@pytest.mark.parametrize(
    ("timestamp", "occurred_at", "found"),
    [
        ("2026-01-31T12:00:00Z", None, datetime(2026, 1, 31, 12, tzinfo=UTC)),
        ("2026-01-31T12:00:00Z", "2026-01-31T11:00:00Z", datetime(2026, 1, 31, 11, tzinfo=UTC)),
        ("last week", None, None),
        (17, None, None),
        (None, None, None),
    ],
)
def test_an_envelope_s_timestamp_is_taken_where_it_can_be_read(
    timestamp: Any, occurred_at: str | None, found: datetime | None
) -> None:
    body = envelope(data={"order_id": ORDER, "occurred_at": occurred_at}, timestamp=timestamp)
    assert read("standard_webhooks", body).occurred_at == found


@pytest.mark.parametrize("type_", ["payment.refunded", "Payment.paid", "user.created", "t", "t" * 255])
@pytest.mark.parametrize("data", [{"order_id": ORDER}, {}, [], None, 7])
def test_an_envelope_of_another_type_is_not_ours_whatever_is_in_it(type_: str, data: Any) -> None:
    assert read("standard_webhooks", {"type": type_, "data": data}) == PaymentEvent(
        "standard_webhooks", type_, reason="type_not_ours"
    )


@pytest.mark.parametrize(
    "body", [{}, {"data": {}}, {"type": ""}, {"type": 7}, {"type": "t" * 256}, {"type": "\0"}, {"type": "payment.paid"}]
)
@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
def test_an_event_that_does_not_say_what_it_is_is_refused(scheme: Scheme, body: Any) -> None:
    with pytest.raises(ValidationError):
        read(scheme, body)


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
def test_stripe_s_events_about_a_payment_are_read(name: str, status: Any, event_id: str, created: int) -> None:
    assert read("stripe", stripe_event(name)) == PaymentEvent(
        "stripe",
        name,
        event_id=event_id,
        order_id=ORDER,
        payment_status=status,
        amount=Decimal("24.00"),
        currency="USD",
        occurred_at=datetime.fromtimestamp(created, UTC),
    )


@pytest.mark.parametrize("name", sorted(path.stem for path in STRIPE_EVENTS.iterdir()))
def test_stripe_s_own_library_reads_the_fixtures(name: str) -> None:
    text = (STRIPE_EVENTS / f"{name}.json").read_text()
    header = stripe.WebhookSignature.generate_signature_header(text, "whsec_x")
    event = stripe.Webhook.construct_event(text, header, "whsec_x")
    assert event.type in name
    assert event.data.object["metadata"]["order_id"] == ORDER


def ignored(name: str, reason: str, **details: Any) -> PaymentEvent:
    event = stripe_event(name)
    created = datetime.fromtimestamp(event["created"], UTC)
    return PaymentEvent("stripe", event["type"], event["id"], occurred_at=created, reason=reason, **details)


def test_stripe_s_other_events_are_not_ours() -> None:
    assert read("stripe", stripe_event("charge.refunded")) == ignored("charge.refunded", "type_not_ours")


def test_a_session_that_is_completed_before_it_is_paid_is_not_paid() -> None:
    name = "checkout.session.completed.unpaid"
    assert read("stripe", stripe_event(name)) == ignored(name, "not_paid", order_id=ORDER)


def test_a_session_with_nothing_to_be_paid_is_paid_with_its_amount() -> None:
    body = stripe_event("checkout.session.completed", payment_status="no_payment_required", amount_total=0)
    assert (read("stripe", body).payment_status, read("stripe", body).amount) == ("paid", Decimal("0.00"))


@pytest.mark.parametrize(
    "metadata", [None, {}, {"order_id": None}, {"order_id": "A-1"}, {"order_id": 7}, {"order_id": {}}]
)
def test_a_stripe_event_without_an_order_of_ours_is_ignored(metadata: Any) -> None:
    name = "payment_intent.succeeded"
    assert read("stripe", stripe_event(name, metadata=metadata)) == ignored(name, "no_order_named")


def test_an_order_s_id_in_metadata_may_be_in_capitals() -> None:
    body = stripe_event("payment_intent.succeeded", metadata={"order_id": ORDER.upper(), "cart": "7"})
    assert read("stripe", body).order_id == ORDER


@pytest.mark.parametrize(
    ("currency", "amount"),
    [("usd", "24.00"), ("JPY", "2400.00"), ("kwd", "2.40"), ("krw", "2400.00"), ("isk", "24.00"), ("ugx", "24.00")],
)
def test_minor_units_are_those_of_the_currency(currency: str, amount: str) -> None:
    event = read("stripe", stripe_event("payment_intent.succeeded", currency=currency))
    assert (str(event.amount), event.currency) == (amount, currency.upper())


def test_the_currencies_with_other_minor_units_are_those_of_stripe_s_documentation() -> None:
    by_exponent = {n: "".join(name for name, m in providers.EXPONENTS.items() if m == n) for n in (0, 3)}
    assert by_exponent == {0: "BIFCLPDJFGNFJPYKMFKRWMGAPYGRWFVNDVUVXAFXOFXPF", 3: "BHDJODKWDOMRTND"}


def test_a_stripe_amount_with_more_places_than_a_price_is_kept_whole() -> None:
    event = read("stripe", stripe_event("payment_intent.succeeded", currency="kwd", amount_received=2401))
    assert str(event.amount) == "2.401"


def test_what_was_received_counts_and_not_what_was_asked_for() -> None:
    body = stripe_event("payment_intent.succeeded", amount=2400, amount_received=2399)
    assert read("stripe", body).amount == Decimal("23.99")


@pytest.mark.parametrize("missing", ["amount_received", "currency"])
def test_an_amount_is_none_without_its_number_or_its_currency(missing: str) -> None:
    event = read("stripe", stripe_event("payment_intent.succeeded", **{missing: None}))
    assert (event.amount, event.payment_status) == (None, "paid")


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
def test_a_stripe_event_that_is_broken_is_refused(change: Callable[[dict[str, Any]], Any]) -> None:
    body = stripe_event("payment_intent.succeeded")
    change(body)
    with pytest.raises(ValidationError):
        read("stripe", body)


@pytest.mark.parametrize("created", [None, 0, 253_402_300_799])
def test_a_stripe_event_s_time_may_be_any_that_there_is(created: int | None) -> None:
    found = read("stripe", {**stripe_event("charge.refunded"), "created": created}).occurred_at
    assert found == (None if created is None else datetime.fromtimestamp(created, UTC))


def test_the_largest_amount_is_taken() -> None:
    event = read("stripe", stripe_event("payment_intent.succeeded", amount_received=10**15))
    assert event.amount == Decimal(10**13)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([ORDER, "paid"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [*OWN, "event_id", "amount", "currency", "occurred_at", "type", "data", "id", "created", "object", "metadata"]
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON | st.dictionaries(st.sampled_from(FIELDS), JSON)).map(json.dumps)


@pytest.mark.long
@settings(max_examples=size(2_000, 100_000))
@given(scheme=st.sampled_from(get_args(Scheme)), body=BODIES.map(str.encode) | st.binary())
def test_whatever_is_in_a_body_is_read_or_refused_and_nothing_else(scheme: Scheme, body: bytes) -> None:
    try:
        event = payment_event(scheme, body)
    except ValidationError:
        return
    assert (event.payment_status is None) == (event.reason is not None)
    assert event.order_id is not None or event.payment_status is None
