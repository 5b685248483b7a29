"""The payments of an order: one for each reference of the processor, with its amount and what is special about it."""

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.conftest import new_order, stripe_event_for
from tests.handlers.inbox import RECONCILIATION, last_timeline_event, only_event, pay, timeline
from tests.handlers.reconciliation import kinds
from tests.handlers.refunds import Order, current, payments, received
from tests.stripe_events import stripe_event

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def test_a_payment_has_the_reference_the_amount_and_the_time_of_its_event(api: ApiClient, order: Order) -> None:
    assert payments(api, order) == []
    pay(api, order, "evt_1", payment_reference="pay_1", amount="4.5", currency="usd")
    event = only_event(api)
    assert payments(api, order) == [
        {
            "id": event["id"],
            "order_id": order["id"],
            "reference": "pay_1",
            "amount": "4.50",
            "currency": "USD",
            "refunded_amount": "0.00",
            "amount_left": "4.50",
            "reason": None,
            "disputes": [],
            "received_at": event["received_at"],
        }
    ]


def test_the_payments_of_an_order_that_does_not_exist_are_not_found(api: ApiClient) -> None:
    assert api.get(f"/api/orders/{UNKNOWN}/payments").problem() == (404, "order-not-found")


@pytest.mark.parametrize("first", [0, 1])
def test_a_payment_intent_and_its_session_are_one_payment(api: ApiClient, order: Order, first: int) -> None:
    events = [
        stripe_event_for(order, id="pi_1"),
        stripe_event(
            "checkout.session.completed", payment_intent="pi_1", amount_total=450, metadata={"order_id": order["id"]}
        ),
    ]
    assert expect(200, api.deliver(events[first], "stripe"))["outcome"] == "applied"
    assert expect(200, api.deliver(events[1 - first], "stripe"))["outcome"] == "duplicate"
    assert received(api, order) == [("pi_1", "4.50", "USD", None)]
    assert last_timeline_event(api, order)["reason"] == "same_payment"


def test_without_a_payment_reference_the_id_of_the_event_stands_in(api: ApiClient) -> None:
    order, other = new_order(api), new_order(api)
    pay(api, order, "evt_1")
    expect(200, api.deliver({"order_id": other["id"], "payment_status": "paid"}, "standard_webhooks", "msg_1"))
    assert [received(api, one) for one in (order, other)] == [
        [("evt_1", "4.50", "USD", None)],
        [("msg_1", "4.50", "USD", None)],
    ]


def test_each_scheme_has_its_own_event_ids_but_not_its_own_references(api: ApiClient) -> None:
    for number, scheme in enumerate(("x_signature", "standard_webhooks", "stripe")):
        order = new_order(api)
        body = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
        assert expect(200, api.deliver(body, scheme))["outcome"] == "applied"
        named = {**body, "event_id": "evt_2", "payment_reference": "pay_1"}
        expected = "needs_refund" if number == 0 else "needs_review"
        assert expect(200, api.deliver(named, scheme))["outcome"] == expected


@pytest.mark.parametrize("status", ["pending", "completed", "canceled"])
def test_an_event_without_any_id_never_creates_a_second_payment(api: ApiClient, order: Order, status: str) -> None:
    pay(api, order, "evt_1")
    if status != "pending":
        expect(200, api.change_status(order["id"], status))
    assert expect(200, api.pay(order["id"]))["outcome"] == "duplicate"
    assert expect(200, api.pay(order["id"], note="again"))["outcome"] == "duplicate"
    assert last_timeline_event(api, order)["reason"] == "same_payment"
    assert len(payments(api, order)) == 1


def test_two_events_without_any_id_are_one_payment_of_a_canceled_order(api: ApiClient, order: Order) -> None:
    expect(200, api.change_status(order["id"], "canceled"))
    outcomes = [expect(200, api.pay(order["id"], note=note))["outcome"] for note in ("a", "b")]
    assert outcomes == ["needs_refund", "duplicate"]
    assert received(api, order) == [(None, "4.50", "USD", "order_canceled")]


def test_an_event_without_any_id_with_another_amount_needs_review_without_a_second_payment(
    api: ApiClient, order: Order
) -> None:
    pay(api, order, "evt_1")
    assert expect(200, api.pay(order["id"], amount="1"))["outcome"] == "needs_review"
    assert received(api, order) == [("evt_1", "4.50", "USD", None)]
    assert kinds(api) == ["amount_mismatch"]


def test_an_event_without_any_id_corrects_the_payment_of_an_unpaid_order(api: ApiClient, order: Order) -> None:
    pay(api, order, "evt_1", amount="1")
    assert expect(200, api.pay(order["id"], amount="4.50"))["outcome"] == "applied"
    assert received(api, order) == [("evt_1", "4.50", "USD", None)]


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("4.51", "4.51"),
        ("4", "4.00"),
        ("4.500001", "4.500001"),
        ("4.5100000", "4.51"),
        ("9" * 60, "9" * 60 + ".00"),
        ("0.000001", "0.000001"),
    ],
)
def test_a_payment_keeps_every_digit_of_its_amount(api: ApiClient, order: Order, sent: str, shown: str) -> None:
    assert pay(api, order, "evt_1", amount=sent) == ("needs_review", "amount_differs")
    assert received(api, order) == [("evt_1", shown, "USD", "amount_differs")]
    assert current(api, order)["paid_amount"] == shown
    [entry] = api.items(RECONCILIATION, kind="amount_mismatch")
    assert entry["message"] == f"A payment of {shown} USD was reported, but the total of the order is 4.50 USD."


def test_a_payment_in_another_currency_keeps_its_currency(api: ApiClient, order: Order) -> None:
    assert pay(api, order, "evt_1", amount="4.50", currency="eur") == ("needs_review", "currency_differs")
    assert received(api, order) == [("evt_1", "4.50", "EUR", "currency_differs")]


@pytest.mark.parametrize("amount", ["0", "-4.50", "a lot"])
def test_an_event_without_a_positive_amount_adds_no_payment_but_is_listed(
    api: ApiClient, order: Order, amount: str
) -> None:
    assert pay(api, order, "evt_1", amount=amount)[0] == "needs_review"
    assert (payments(api, order), current(api, order)["paid_amount"]) == ([], "0.00")
    [entry] = api.items(RECONCILIATION, kind="amount_mismatch")
    assert (entry["payment"], entry["payment_event"]["event_id"]) == (None, "evt_1")


def test_an_unreadable_amount_is_listed_until_a_delivery_can_be_read(api: ApiClient, order: Order) -> None:
    expect(200, api.change_status(order["id"], "canceled"))
    assert pay(api, order, "evt_1", amount="a lot") == ("needs_refund", "order_canceled")
    assert (payments(api, order), kinds(api)) == ([], ["paid_and_canceled"])
    assert pay(api, order, "evt_1", amount="4.50") == ("needs_refund", "order_canceled")
    assert received(api, order) == [("evt_1", "4.50", "USD", "order_canceled")]
    assert kinds(api) == ["paid_and_canceled"]


def test_an_amount_of_0_for_a_canceled_order_needs_no_refund(api: ApiClient, order: Order) -> None:
    expect(200, api.change_status(order["id"], "canceled"))
    assert pay(api, order, "evt_1", amount="0") == ("ignored", "not_paid")
    assert (payments(api, order), kinds(api), last_timeline_event(api, order)["action"]) == ([], [], None)


def test_each_payment_of_a_free_order_needs_review(api: ApiClient) -> None:
    discount = [{"kind": "discount", "label": "Gift", "amount": "-4.50"}]
    order = api.order((api.create_product()["id"], 1), charges=discount)
    assert (order["payment_status"], order["paid_amount"]) == ("paid", "0.00")
    assert pay(api, order, "evt_1", amount="0") == ("duplicate", "same_status")
    assert pay(api, order, "evt_2", amount="4.50") == ("needs_review", "amount_differs")
    assert pay(api, order, "evt_3") == ("needs_review", "amount_differs")
    assert received(api, order) == [("evt_2", "4.50", "USD", "amount_differs")]
    entries = api.items(RECONCILIATION, kind="amount_mismatch")
    assert len(entries) == 2
    assert all(entry["action"].startswith("The order costs nothing. ") for entry in entries)


def test_a_failed_payment_adds_none(api: ApiClient, order: Order) -> None:
    expect(200, api.pay(order["id"], "failed", event_id="evt_1", amount="4.50", payment_reference="pay_1"))
    assert (payments(api, order), current(api, order)["paid_amount"]) == ([], "0.00")
    assert pay(api, order, "evt_2", payment_reference="pay_1") == ("applied", None)
    assert received(api, order) == [("pay_1", "4.50", "USD", None)]


def test_the_payment_of_an_erased_customer_is_counted(api: ApiClient, order: Order) -> None:
    expect(200, api.call("DELETE", f"/api/customers/{order['customer_id']}/personal-data"))
    assert pay(api, order, "evt_1", payment_reference="pay_1") == ("applied", None)
    assert pay(api, order, "evt_2", payment_reference="pay_2") == ("needs_refund", "paid_twice")
    assert [payment["reference"] for payment in payments(api, order)] == ["pay_1", "pay_2"]


def test_the_timeline_of_a_payment_reads_as_sentences(api: ApiClient, order: Order) -> None:
    pay(api, order, "evt_1", payment_reference="pay_1")
    pay(api, order, "evt_2", payment_reference="pay_1")
    pay(api, order, "evt_3", payment_reference="pay_2")
    pay(api, order, "evt_4", payment_reference="pay_2", amount="7")
    assert [entry["message"] for entry in timeline(api, order["id"])] == [
        "The order was placed.",
        "The payment was recorded.",
        "This payment was reported before. Several events can report one payment.",
        "A second payment arrived for an order that is already paid.",
        "This payment was reported before, with another amount or currency.",
    ]
