"""How events are read in each scheme: the native format, and the bodies that are refused."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest

from storefront.payments.models import PaymentEvent
from storefront.payments.providers import PROVIDERS, read_event
from storefront.payments.signatures import Scheme
from tests.unit.reading import NATIVE, ORDER, envelope, read, refused


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
    event = refused(scheme, {**NATIVE, "id": "evt_1", "type": type_, "data": data}, "#/payment_status")
    assert str(event.error).endswith("should say the same")
    assert event.payment_status is None


@pytest.mark.parametrize("type_", ["payment.paid", "payment_intent.succeeded"])
def test_a_type_that_agrees_with_the_status_is_accepted(type_: str) -> None:
    assert read("x_signature", {**NATIVE, "type": type_}).payment_status == "paid"


def test_a_type_without_a_payment_status_is_accepted() -> None:
    for type_ in ("charge.refunded", "sale", 7, ["payment.failed"]):
        assert read("x_signature", {**NATIVE, "type": type_}).payment_status == "paid"


def test_optional_fields_are_read_and_unknown_fields_are_ignored() -> None:
    money = {"amount": "19.90", "currency": "eur", "payment_reference": "pay_1"}
    more = {"event_id": "evt_1", "occurred_at": "2026-01-31T12:00:00+01:00", "livemode": False, "account": "acct_1"}
    assert read("x_signature", {**NATIVE, **money, **more, "type": "payment.paid", "data": []}) == PaymentEvent(
        "storefront",
        event_id="evt_1",
        order_id=ORDER,
        payment_status="paid",
        amount=Decimal("19.90"),
        currency="EUR",
        occurred_at=datetime(2026, 1, 31, 11, tzinfo=UTC),
        livemode=False,
        account="acct_1",
        payment_reference="pay_1",
    )


UNREADABLE: list[tuple[str, Any]] = [
    ("order_id", "7"),
    ("order_id", 7),
    ("order_id", None),
    ("order_id", f"{ORDER}0"),
    ("payment_status", "unpaid"),
    ("payment_status", "PAID"),
    ("payment_status", " paid"),
    ("payment_status", None),
    ("payment_status", True),
    ("payment_status", ["paid"]),
]


@pytest.mark.parametrize(("field", "value"), UNREADABLE)
def test_a_field_that_decides_and_cannot_be_read_is_named(field: str, value: Any) -> None:
    bodies: list[tuple[Scheme, Any, str]] = [("x_signature", {**NATIVE, field: value}, f"#/{field}")]
    if field == "order_id" or value is not None:
        bodies.append(("standard_webhooks", envelope(data={"order_id": ORDER, field: value}), f"#/data/{field}"))
    for scheme, body, pointer in bodies:
        event = refused(scheme, body, pointer)
        assert event.reason == "invalid"
        assert event.order_id == (None if field == "order_id" else ORDER)


def test_every_field_that_decides_and_cannot_be_read_is_named() -> None:
    event = refused("x_signature", {"order_id": "7", "payment_status": "PAID", "event_id": 7}, "#/order_id")
    assert event.error == "#/order_id: Input should be a UUID; #/payment_status: Input should be 'paid' or 'failed'"
    assert event.event_id == "7"


@pytest.mark.parametrize("type_", ["refund.done", "dispute.", "dispute.closed", "refund." + "x" * 300])
@pytest.mark.parametrize("status", [None, "PAID"])
def test_an_unknown_type_of_a_refund_or_dispute_is_named_with_the_known_types(type_: str, status: str | None) -> None:
    event = refused("x_signature", {**NATIVE, "amount": "1.00", "type": type_, "payment_status": status}, "#/type")
    assert event.error == (
        "#/type: Input should be 'refund.pending', 'refund.canceled', 'refund.succeeded', 'refund.failed',"
        " 'dispute.opened', 'dispute.won' or 'dispute.lost'"
    )
    assert (event.order_id, event.payment_status, event.reason) == (ORDER, None, "invalid")
    assert str(event.amount) == "1.00"


UNCLEAR: list[tuple[str, Any]] = [
    ("event_id", ""),
    ("event_id", "e" * 256),
    ("event_id", "e\0"),
    ("event_id", "\ud83d"),
    ("event_id", True),
    ("event_id", {"id": 1}),
    ("occurred_at", ""),
    ("occurred_at", "yesterday"),
    ("occurred_at", "2026-01-31T12:00:00"),
    ("occurred_at", []),
    ("livemode", "maybe"),
    ("livemode", None),
    ("account", "\ud83d"),
    ("account", []),
    ("payment_reference", ""),
    ("payment_reference", {}),
    ("note", "\ud83d"),
    ("note", float("nan")),
    ("note", 10**4299),
]


@pytest.mark.parametrize(("field", "value"), UNCLEAR, ids=lambda parameter: repr(parameter)[:40])
def test_a_field_that_decides_nothing_is_none_if_it_cannot_be_read(field: str, value: Any) -> None:
    expected = PaymentEvent("storefront", order_id=ORDER, payment_status="paid")
    assert read("x_signature", {**NATIVE, field: value}) == expected
    in_envelope = read("standard_webhooks", envelope(data={"order_id": ORDER, field: value}))
    assert in_envelope == expected._replace(provider="standard_webhooks", type="payment.paid")


@pytest.mark.parametrize(
    "money", [{"amount": "1,5"}, {"amount": ""}, {"amount": float("nan")}, {"amount": []}, {"amount": 10**200}]
)
def test_an_amount_that_cannot_be_read_is_not_a_missing_amount(money: dict[str, Any]) -> None:
    paid = PaymentEvent("storefront", order_id=ORDER, payment_status="paid", currency="EUR", reason="amount_unreadable")
    assert read("x_signature", {**NATIVE, "currency": "eur", **money}) == paid
    in_envelope = read("standard_webhooks", envelope(data={"order_id": ORDER, "currency": "eur", **money}))
    assert in_envelope == paid._replace(provider="standard_webhooks", type="payment.paid")
    # A failure moved no money.
    failed = read("x_signature", {**NATIVE, "payment_status": "failed", **money})
    assert (failed.payment_status, failed.amount, failed.reason) == ("failed", None, None)


@pytest.mark.parametrize("currency", ["US", "US$", "", 840, []])
def test_a_currency_that_cannot_be_read_is_not_a_missing_currency(currency: Any) -> None:
    event = read("x_signature", {**NATIVE, "amount": "5", "currency": currency})
    assert (event.amount, event.currency, event.reason) == (Decimal("5.00"), None, "amount_unreadable")
    event = read("x_signature", {**NATIVE, "payment_status": "failed", "currency": currency})
    assert (event.currency, event.reason) == (None, None)


def test_null_is_a_missing_value() -> None:
    nulls = dict.fromkeys(("event_id", "amount", "currency", "occurred_at", "livemode", "account", "payment_reference"))
    assert read("x_signature", {**NATIVE, **nulls}) == read("x_signature", NATIVE)


@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
@pytest.mark.parametrize(
    "more", [{"type": "sale"}, {"data": {}}, {"type": None, "data": 7}, {"type": "t", "data": None}]
)
def test_type_and_data_are_unknown_fields_outside_an_envelope(scheme: Scheme, more: dict[str, Any]) -> None:
    assert read(scheme, {**NATIVE, **more}) == PaymentEvent("storefront", order_id=ORDER, payment_status="paid")


@pytest.mark.parametrize("body", [{}, {"data": {}}, {"type": ""}, {"type": 7}, {"type": None, "data": {}}])
@pytest.mark.parametrize("scheme", ["standard_webhooks", "stripe"])
def test_an_event_without_a_type_is_refused(scheme: Scheme, body: Any) -> None:
    assert refused(scheme, body, "#/type").provider == scheme


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("type_", ["t" * 256, "\0", "\ud83d"])
def test_a_type_that_cannot_be_stored_is_not_ours(scheme: Scheme, type_: str) -> None:
    if scheme != "x_signature":
        assert read(scheme, {"type": type_, "data": {}}) == PaymentEvent(scheme, reason="type_not_ours")


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("field", ["order_id", "payment_status"])
def test_one_field_of_the_native_format_is_enough_to_recognize_it(scheme: Scheme, field: str) -> None:
    other = {"order_id": "payment_status", "payment_status": "order_id"}[field]
    event = refused(scheme, {field: NATIVE[field], "event_id": "evt_1"}, f"#/{other}")
    assert (event.provider, event.event_id) == ("storefront", "evt_1")


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"paid"', b"NaN"])
def test_a_body_that_is_not_an_object_is_refused(scheme: Scheme, body: bytes) -> None:
    assert refused(scheme, body, "#").error == "#: Input should be an object"


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize("body", [b"", b"{", b"order_id=7", b"\xff\xfe{}", b"[" * 100_000])
def test_a_body_that_is_not_json_is_refused(scheme: Scheme, body: bytes) -> None:
    event, problem = read_event(scheme, body)
    assert problem is not None
    assert (problem.status, problem.kind, event.reason) == (400, "malformed-body", "not_json")
    assert event.error == problem.detail
    assert event.error.startswith("The body is not JSON. ")


def test_a_body_that_is_not_declared_as_json_is_refused_and_read() -> None:
    event, problem = read_event("x_signature", json.dumps({**NATIVE, "event_id": "evt_1"}).encode(), is_json=False)
    assert problem is not None
    assert (problem.status, event.reason, event.error) == (415, "media_type", problem.detail)
    assert (event.order_id, event.payment_status, event.event_id) == (ORDER, "paid", "evt_1")
    event, problem = read_event("x_signature", b"order_id=7", is_json=False)
    assert problem is not None
    assert (problem.status, event.reason) == (415, "media_type")


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_an_error_does_not_quote_the_body(scheme: Scheme) -> None:
    secret = "jenny@example.com"
    bodies = [
        {"order_id": secret, "payment_status": secret, "type": {secret: 1}},
        {"type": "payment.paid", "data": {"order_id": secret, "payment_status": secret}},
        {"type": "checkout.session.completed", "data": {"object": {"payment_status": secret}}},
        {"type": "refund.updated", "data": {"object": {"charge": "ch_1", "status": secret}}},
        {"type": "refund.failed", "payment_reference": {secret: 1}, "refund_id": secret, "payment_status": None},
        {"type": "dispute.lost", "payment_reference": "pay_1", "payment_status": secret},
    ]
    for body in [json.dumps(body).encode() for body in bodies] + [secret.encode(), f'{{"{secret}'.encode()]:
        event, problem = read_event(scheme, body)
        assert event.error is None or (secret not in event.error and len(event.error) < 500)
        assert problem is None or secret not in problem.body()
