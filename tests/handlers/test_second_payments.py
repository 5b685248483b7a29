"""A second payment of an order that is already paid."""

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import RECONCILIATION, last_timeline_event, only_event, pay
from tests.handlers.reconciliation import kinds
from tests.handlers.refunds import Order, current, etag, payments, received

pytestmark = pytest.mark.usefixtures("expect_no_violations")


@pytest.mark.parametrize("status", ["pending", "completed", "canceled"])
@pytest.mark.parametrize("money", [{}, {"amount": "1"}, {"amount": "4.50", "currency": "EUR"}])
def test_another_reference_of_a_paid_order_is_a_second_payment(
    api: ApiClient, order: Order, status: str, money: dict[str, str]
) -> None:
    pay(api, order, "evt_1")
    if status != "pending":
        expect(200, api.change_status(order["id"], status))
    assert pay(api, order, "evt_2", **money) == ("needs_refund", "paid_twice")
    second = ("evt_2", "1.00" if money.get("amount") == "1" else "4.50", money.get("currency", "USD"), "paid_twice")
    assert received(api, order) == [("evt_1", "4.50", "USD", None), second]
    assert "paid_twice" in kinds(api)
    assert pay(api, order, "evt_3", payment_reference="evt_2") == ("needs_refund", "paid_twice")


def test_a_second_payment_is_shown_with_what_to_do(api: ApiClient, order: Order) -> None:
    pay(api, order, "evt_1")
    pay(api, order, "evt_2")
    [entry] = api.items(RECONCILIATION, kind="paid_twice")
    assert entry["id"] == entry["payment"]["id"] == payments(api, order)[1]["id"]
    message = "A second payment arrived for an order that is already paid."
    action = "Refund one of the payments. Request the refund here, or make it at the processor."
    for shown in (entry, last_timeline_event(api, order), only_event(api, event_id="evt_2")):
        assert (shown["message"], shown["action"]) == (message, action)


def test_of_a_canceled_order_no_payment_is_kept(api: ApiClient, order: Order) -> None:
    pay(api, order, "evt_1")
    expect(200, api.change_status(order["id"], "canceled"))
    pay(api, order, "evt_2")
    action = "Request a refund of the payment here, or make it at the processor."
    assert last_timeline_event(api, order)["action"] == action


def test_a_second_payment_changes_the_order_and_its_etag(api: ApiClient, order: Order) -> None:
    pay(api, order, "evt_1")
    before, first = current(api, order), etag(api, order)
    assert (before["paid_amount"], before["refunded_amount"], before["refund_status"]) == ("4.50", "0.00", "none")
    pay(api, order, "evt_2")
    after = current(api, order)
    assert (after["paid_amount"], after["payment_status"]) == ("9.00", "paid")
    assert after["updated_at"] > before["updated_at"]
    assert etag(api, order) != first
    pay(api, order, "evt_3", payment_reference="evt_4")
    assert current(api, order)["paid_amount"] == "13.50"


def test_only_payments_in_the_currency_of_the_order_count_for_its_paid_amount(api: ApiClient, order: Order) -> None:
    pay(api, order, "evt_1", amount="4.50", currency="EUR")
    assert current(api, order)["paid_amount"] == "0.00"
    pay(api, order, "evt_2", amount="1")
    assert current(api, order)["paid_amount"] == "1.00"
    pay(api, order, "evt_3")
    assert current(api, order)["paid_amount"] == "5.50"
    assert len(payments(api, order)) == 3
