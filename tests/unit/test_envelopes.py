"""How the envelopes of Standard Webhooks are read."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from storefront.payments.models import PaymentEvent
from tests.unit.reading import ORDER, envelope, read, refused


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


@pytest.mark.parametrize("status", ["failed", "PAID", "settled", True])
def test_an_envelope_with_a_contradicting_status_is_refused(status: Any) -> None:
    data = {"order_id": ORDER, "payment_status": status}
    event = refused("standard_webhooks", envelope("payment.paid", data), "#/data/payment_status")
    assert str(event.error).endswith("should say the same")
    assert event.payment_status is None


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
    order_id = ORDER if data == {"order_id": ORDER} else None
    assert read("standard_webhooks", {"type": type_, "data": data}) == PaymentEvent(
        "standard_webhooks", type_, order_id=order_id, reason="type_not_ours"
    )


@pytest.mark.parametrize("order_id", ["S-100", ORDER])
def test_an_envelope_with_an_order_id_is_not_the_native_format(order_id: str) -> None:
    around = {"order_id": order_id, "payment_status": "settled"}
    assert read("standard_webhooks", {**envelope("payment.failed"), **around}).payment_status == "failed"
    assert read("standard_webhooks", {**envelope("shipment.created"), **around}).reason == "type_not_ours"
    assert read("standard_webhooks", {"type": "shipment.created", "order_id": order_id}).reason == "type_not_ours"


def test_livemode_and_account_of_an_envelope_are_read_at_both_places() -> None:
    around = {"livemode": True, "account": "acct_1"}
    event = read("standard_webhooks", envelope(**around))
    assert (event.livemode, event.account) == (True, "acct_1")
    event = read("standard_webhooks", envelope(data={"order_id": ORDER, "livemode": False, "account": 7}, **around))
    assert (event.livemode, event.account) == (False, "7")
    event = read("standard_webhooks", envelope("user.created", **around))
    assert (event.livemode, event.account) == (True, "acct_1")


@pytest.mark.parametrize("data", [None, {}, [], 7, {"payment_status": "paid"}])
def test_an_envelope_about_no_order_is_refused(data: Any) -> None:
    assert refused("standard_webhooks", {"type": "payment.paid", "data": data}, "#/data/order_id").order_id is None
