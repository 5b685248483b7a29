"""How the events of each processor are read."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from storefront.payments.models import PaymentEvent
from storefront.payments.providers import PROVIDERS, payment_event
from storefront.payments.signatures import Scheme
from tests.sizes import EVENT_BODIES

ORDER = "b0000000-0000-4000-8000-000000000003"
NATIVE = {"order_id": ORDER, "payment_status": "paid"}


def read(scheme: Scheme, body: Any) -> PaymentEvent:
    return payment_event(scheme, body if isinstance(body, bytes) else json.dumps(body).encode())


def envelope(type_: Any = "payment.paid", data: Any = None, **others: Any) -> dict[str, Any]:
    return {"type": type_, "data": {"order_id": ORDER} if data is None else data, **others}


def test_every_scheme_has_a_provider() -> None:
    assert set(PROVIDERS) == set(get_args(Scheme))


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("status", ["paid", "failed"])
def test_the_native_format_is_read_in_every_scheme(scheme: Scheme, status: Any) -> None:
    assert read(scheme, {"order_id": ORDER.upper(), "payment_status": status}) == PaymentEvent(
        "storefront", order_id=ORDER, payment_status=status
    )


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("type_", ["payment.failed", "payment_intent.payment_failed"])
@pytest.mark.parametrize("data", [None, {"order_id": ORDER}])
def test_a_type_that_contradicts_the_status_is_refused(scheme: Scheme, type_: str, data: Any) -> None:
    with pytest.raises(ValidationError, match="should say the same"):
        read(scheme, {**NATIVE, "id": "evt_1", "type": type_, "data": data})


def test_a_type_without_a_payment_status_is_accepted() -> None:
    for type_ in ("charge.refunded", "sale", 7, ["payment.failed"]):
        assert read("x_signature", {**NATIVE, "type": type_}).payment_status == "paid"


def test_optional_fields_are_read_and_unknown_fields_are_ignored() -> None:
    more = {"event_id": "evt_1", "amount": "19.90", "currency": "eur", "occurred_at": "2026-01-31T12:00:00+01:00"}
    assert read(
        "x_signature", {**NATIVE, **more, "livemode": False, "type": "payment.paid", "data": []}
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
        # Amounts that a processor computed with doubles.
        (36.300000000000004, "36.30"),
        (0.1 + 0.2, "0.30"),
        (36.301, "36.301"),
        (999999999999.9998, "999999999999.9998"),
        (None, None),
    ],
)
def test_an_amount_keeps_all_its_digits(sent: Any, amount: str | None) -> None:
    found = read("x_signature", {**NATIVE, "amount": sent}).amount
    assert found == (None if amount is None else Decimal(amount))
    assert str(found) == str(amount)


INVALID_FIELDS: list[tuple[str, Any]] = [
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


@pytest.mark.parametrize(("field", "value"), INVALID_FIELDS)
def test_an_invalid_field_of_the_native_format_is_named(field: str, value: Any) -> None:
    bodies: list[tuple[Scheme, Any, tuple[str, ...]]] = [("x_signature", {**NATIVE, field: value}, (field,))]
    if field != "payment_status":
        bodies.append(("standard_webhooks", envelope(data={"order_id": ORDER, field: value}), ("data", field)))
    for scheme, body, where in bodies:
        with pytest.raises(ValidationError) as refused:
            read(scheme, body)
        assert [error["loc"] for error in refused.value.errors() if error["type"] != "json_invalid"] in ([where], [])


@pytest.mark.parametrize(("type_", "status"), [("payment.paid", "paid"), ("payment.failed", "failed")])
def test_the_type_of_an_envelope_is_its_payment_status(type_: str, status: Any) -> None:
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


def test_an_envelope_with_a_contradicting_status_is_refused() -> None:
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
def test_an_envelope_without_occurred_at_uses_its_timestamp(
    timestamp: Any, occurred_at: str | None, found: datetime | None
) -> None:
    body = envelope(data={"order_id": ORDER, "occurred_at": occurred_at}, timestamp=timestamp)
    assert read("standard_webhooks", body).occurred_at == found


@pytest.mark.parametrize("type_", ["payment.refunded", "Payment.paid", "user.created", "t", "t" * 255])
@pytest.mark.parametrize("data", [{"order_id": ORDER}, {}, [], None, 7])
def test_an_envelope_of_another_type_is_ignored(type_: str, data: Any) -> None:
    assert read("standard_webhooks", {"type": type_, "data": data}) == PaymentEvent(
        "standard_webhooks", type_, reason="type_not_ours"
    )


@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
@pytest.mark.parametrize(
    "more", [{"type": "sale"}, {"data": {}}, {"type": None, "data": 7}, {"type": "t", "data": None}]
)
def test_type_and_data_are_unknown_fields_outside_an_envelope(scheme: Scheme, more: dict[str, Any]) -> None:
    assert read(scheme, {**NATIVE, **more}) == PaymentEvent("storefront", order_id=ORDER, payment_status="paid")


@pytest.mark.parametrize("order_id", ["S-100", ORDER])
def test_an_envelope_with_an_order_id_is_not_the_native_format(order_id: str) -> None:
    around = {"order_id": order_id, "payment_status": "settled"}
    assert read("standard_webhooks", {**envelope("payment.failed"), **around}).payment_status == "failed"
    assert read("standard_webhooks", {**envelope("shipment.created"), **around}).reason == "type_not_ours"
    assert read("standard_webhooks", {"type": "shipment.created", "order_id": order_id}).reason == "type_not_ours"


@pytest.mark.parametrize(
    "body", [{}, {"data": {}}, {"type": ""}, {"type": 7}, {"type": "t" * 256}, {"type": "\0"}, {"type": "payment.paid"}]
)
@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
def test_an_event_of_no_known_format_is_refused(scheme: Scheme, body: Any) -> None:
    with pytest.raises(ValidationError):
        read(scheme, body)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from([ORDER, "paid"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    *NATIVE,
    "event_id",
    "amount",
    "currency",
    "occurred_at",
    "type",
    "data",
    "id",
    "created",
    "object",
    "metadata",
]
BODIES = st.dictionaries(st.sampled_from(FIELDS), JSON | st.dictionaries(st.sampled_from(FIELDS), JSON)).map(json.dumps)


@pytest.mark.long
@settings(max_examples=EVENT_BODIES.chosen)
@given(scheme=st.sampled_from(get_args(Scheme)), body=BODIES.map(str.encode) | st.binary())
def test_any_body_is_either_read_or_refused(scheme: Scheme, body: bytes) -> None:
    try:
        event = payment_event(scheme, body)
    except ValidationError:
        return
    assert (event.payment_status is None) == (event.reason is not None)
    assert event.order_id is not None or event.payment_status is None
