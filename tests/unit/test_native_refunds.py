"""How refunds and disputes are read in the native format and in the envelopes of Standard Webhooks."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, get_args

import pytest

from storefront.payments.models import PaymentEvent
from storefront.payments.signatures import Scheme
from tests.unit.reading import ORDER, REFUND, envelope, read, refused

REFUNDS = {
    "refund.pending": "pending",
    "refund.canceled": "canceled",
    "refund.succeeded": "succeeded",
    "refund.failed": "failed",
}
DISPUTES = {"dispute.opened": "open", "dispute.won": "won", "dispute.lost": "lost"}

REFUNDED = {"type": "refund.succeeded", "payment_reference": "pay_1", "processor_refund_id": "r_1"}
DISPUTED = {"type": "dispute.opened", "payment_reference": "pay_1"}


def wrapped(body: dict[str, Any]) -> dict[str, Any]:
    """The event in an envelope of Standard Webhooks."""
    return {"type": body["type"], "data": {name: value for name, value in body.items() if name != "type"}}


def both(body: dict[str, Any]) -> list[PaymentEvent]:
    """The event as it is read from the native format and from an envelope."""
    return [read("x_signature", body), read("standard_webhooks", wrapped(body))]


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize(("type_", "status"), REFUNDS.items())
def test_a_refund_in_the_native_format_is_read_in_every_scheme(scheme: Scheme, type_: str, status: Any) -> None:
    money = {"amount": "19.90", "currency": "eur"}
    more = {"event_id": "evt_1", "occurred_at": "2026-01-31T12:00:00+01:00", "livemode": False, "account": "acct_1"}
    ids = {"order_id": ORDER.upper(), "refund_id": REFUND.upper()}
    assert read(scheme, {**REFUNDED, **ids, **money, **more, "type": type_, "note": {}}) == PaymentEvent(
        "storefront",
        type_,
        event_id="evt_1",
        order_id=ORDER,
        refund_id=REFUND,
        refund_status=status,
        amount=Decimal("19.90"),
        currency="EUR",
        occurred_at=datetime(2026, 1, 31, 11, tzinfo=UTC),
        livemode=False,
        account="acct_1",
        payment_reference="pay_1",
        object_reference="r_1",
    )


@pytest.mark.parametrize("scheme", get_args(Scheme))
def test_null_is_missing_data(scheme: Scheme) -> None:
    assert read(scheme, {**REFUNDED, "data": None}).provider == "storefront"


@pytest.mark.parametrize("scheme", get_args(Scheme))
@pytest.mark.parametrize(("type_", "status"), DISPUTES.items())
def test_a_dispute_in_the_native_format_is_read_in_every_scheme(scheme: Scheme, type_: str, status: Any) -> None:
    body = {**DISPUTED, "type": type_, "event_id": "evt_1", "amount": "5", "currency": "USD"}
    assert read(scheme, body) == PaymentEvent(
        "storefront",
        type_,
        event_id="evt_1",
        dispute_status=status,
        amount=Decimal("5.00"),
        currency="USD",
        payment_reference="pay_1",
    )


@pytest.mark.parametrize(("type_", "status"), REFUNDS.items())
def test_a_refund_in_an_envelope_is_read(type_: str, status: Any) -> None:
    data = {"payment_reference": "pay_1", "processor_refund_id": 7, "refund_id": REFUND, "amount": 5, "currency": "usd"}
    around = {"timestamp": "2026-01-31T12:00:00Z", "livemode": True, "account": "acct_1"}
    assert read("standard_webhooks", envelope(type_, data, **around)) == PaymentEvent(
        "standard_webhooks",
        type_,
        refund_id=REFUND,
        refund_status=status,
        amount=Decimal("5.00"),
        currency="USD",
        occurred_at=datetime(2026, 1, 31, 12, tzinfo=UTC),
        livemode=True,
        account="acct_1",
        payment_reference="pay_1",
        object_reference="7",
    )


@pytest.mark.parametrize(("type_", "status"), DISPUTES.items())
def test_a_dispute_in_an_envelope_is_read(type_: str, status: Any) -> None:
    assert read("standard_webhooks", envelope(type_, {"order_id": ORDER, "event_id": "evt_1"})) == PaymentEvent(
        "standard_webhooks", type_, event_id="evt_1", order_id=ORDER, dispute_status=status
    )


@pytest.mark.parametrize("body", [REFUNDED, DISPUTED])
def test_the_order_or_the_payment_is_enough(body: dict[str, Any]) -> None:
    for event in both(body):
        assert (event.order_id, event.payment_reference, event.reason) == (None, "pay_1", None)
    for event in both({**body, "order_id": ORDER, "payment_reference": None}):
        assert (event.order_id, event.payment_reference, event.reason) == (ORDER, None, None)


@pytest.mark.parametrize("order_id", ["7", 7, None, f"{ORDER}0", [], {}])
def test_an_order_id_next_to_the_payment_decides_nothing(order_id: Any) -> None:
    for event in (*both({**REFUNDED, "order_id": order_id}), *both({**DISPUTED, "order_id": order_id})):
        assert (event.order_id, event.payment_reference, event.reason) == (None, "pay_1", None)


@pytest.mark.parametrize("body", [REFUNDED, DISPUTED])
@pytest.mark.parametrize(
    "names", [{}, {"order_id": "7"}, {"payment_reference": ""}, {"payment_reference": [], "order_id": 7}]
)
def test_an_event_that_names_neither_order_nor_payment_is_refused(body: dict[str, Any], names: dict[str, Any]) -> None:
    nameless = {name: value for name, value in body.items() if name != "payment_reference"} | names
    event = refused("x_signature", nameless, "#/payment_reference")
    assert (event.type, event.reason, event.order_id, event.payment_reference) == (body["type"], "invalid", None, None)
    assert event.error == "#/payment_reference: Input should have a payment_reference, or an order_id that is a UUID"
    refused("standard_webhooks", wrapped(nameless), "#/data/payment_reference")


@pytest.mark.parametrize("type_", REFUNDS)
@pytest.mark.parametrize("ids", [{}, {"refund_id": "R-7"}, {"processor_refund_id": [], "refund_id": 7}])
def test_a_refund_without_any_id_is_refused(type_: str, ids: dict[str, Any]) -> None:
    body = {"type": type_, "payment_reference": "pay_1", **ids}
    event = refused("x_signature", body, "#/processor_refund_id")
    assert event.error == (
        "#/processor_refund_id: Input should have a processor_refund_id, or a refund_id that is a UUID"
    )
    assert (event.reason, event.payment_reference) == ("invalid", "pay_1")
    refused("standard_webhooks", wrapped(body), "#/data/processor_refund_id")


def test_one_of_the_two_ids_of_a_refund_is_enough() -> None:
    for event in both({**REFUNDED, "refund_id": "R-7"}):
        assert (event.object_reference, event.refund_id, event.refund_status) == ("r_1", None, "succeeded")
    for event in both({**REFUNDED, "processor_refund_id": None, "refund_id": REFUND}):
        assert (event.object_reference, event.refund_id, event.refund_status) == (None, REFUND, "succeeded")


def test_a_dispute_has_no_ids_of_a_refund() -> None:
    for event in both({**DISPUTED, "processor_refund_id": "r_1", "refund_id": REFUND}):
        assert (event.object_reference, event.refund_id, event.dispute_status) == (None, None, "open")


def test_everything_that_decides_and_cannot_be_read_is_named() -> None:
    event = refused("x_signature", {"type": "refund.failed", "event_id": "evt_1", "amount": "?"}, "#/payment_reference")
    assert "#/processor_refund_id" in str(event.error)
    assert (event.event_id, event.reason) == ("evt_1", "invalid")


@pytest.mark.parametrize("type_", [*REFUNDS, *DISPUTES])
@pytest.mark.parametrize("status", ["paid", "failed", "refunded", "", 7, []])
def test_a_payment_status_contradicts_a_refund_or_a_dispute(type_: str, status: Any) -> None:
    body = {**REFUNDED, "type": type_, "order_id": ORDER, "payment_status": status}
    for event in (
        refused("x_signature", body, "#/payment_status"),
        refused("standard_webhooks", wrapped(body), "#/data/payment_status"),
    ):
        assert str(event.error).endswith("/payment_status: type and payment_status should say the same")
        assert (event.payment_status, event.refund_status, event.dispute_status) == (None, None, None)
        assert (event.type, event.order_id, event.reason) == (type_, ORDER, "invalid")


@pytest.mark.parametrize("body", [REFUNDED, DISPUTED])
@pytest.mark.parametrize("status", ["paid", "failed"])
def test_a_payment_status_outside_the_data_contradicts_it_too(body: dict[str, Any], status: str) -> None:
    event = refused("standard_webhooks", {**wrapped(body), "payment_status": status}, "#/payment_status")
    assert (event.payment_status, event.refund_status, event.dispute_status) == (None, None, None)
    assert read("standard_webhooks", {**wrapped(body), "payment_status": "refunded"}).reason is None


@pytest.mark.parametrize("body", [REFUNDED, DISPUTED])
@pytest.mark.parametrize("money", [{"amount": "1,5"}, {"amount": []}, {"amount": "5", "currency": "$"}])
def test_an_amount_that_cannot_be_read_is_not_a_missing_amount(body: dict[str, Any], money: dict[str, Any]) -> None:
    for event in both({**body, **money}):
        assert (event.reason, event.error) == ("amount_unreadable", None)
        assert event.refund_status or event.dispute_status


@pytest.mark.parametrize("body", [REFUNDED, DISPUTED])
def test_the_amount_may_be_zero_or_missing(body: dict[str, Any]) -> None:
    for event in both({**body, "amount": 0}):
        assert (event.amount, event.reason) == (Decimal("0.00"), None)
    for event in both({**body, "amount": None, "currency": None}):
        assert (event.amount, event.currency, event.reason) == (None, None, None)


@pytest.mark.parametrize("type_", ["refund", "refund.created", "Refund.pending", "dispute.closed", "dispute.Won"])
def test_other_types_of_envelopes_are_not_ours(type_: str) -> None:
    event = read("standard_webhooks", wrapped({**REFUNDED, "type": type_}))
    assert (event.reason, event.payment_reference, event.refund_status) == ("type_not_ours", "pay_1", None)


@pytest.mark.parametrize("data", [{}, {"object": {}}, [], ""])
def test_an_event_of_stripe_with_the_same_type_is_not_the_native_format(data: Any) -> None:
    event = read("stripe", {"id": "evt_1", "type": "refund.failed", "data": data})
    assert (event.provider, event.event_id, event.reason) == ("stripe", "evt_1", "no_payment_named")
