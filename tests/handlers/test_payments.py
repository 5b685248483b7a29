"""The payments of an order: one for each reference of the processor, with its amount and what is special about it."""

from typing import Any

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.conftest import new_order, stripe_event_for
from tests.handlers.inbox import EVENTS, RECONCILIATION, last_timeline_event, only_event, timeline
from tests.stripe_events import stripe_event

pytestmark = pytest.mark.usefixtures("expect_no_violations")

Order = dict[str, Any]


def payments(api: ApiClient, order: Order) -> list[dict[str, Any]]:
    return api.items(f"/api/orders/{order['id']}/payments")


def received(api: ApiClient, order: Order) -> list[tuple[str | None, str, str, str | None]]:
    """The reference, the amount, the currency and the reason of each payment."""
    names = ("reference", "amount", "currency", "reason")
    return [tuple(payment[name] for name in names) for payment in payments(api, order)]


def current(api: ApiClient, order: Order) -> Order:
    found: Order = expect(200, api.get(f"/api/orders/{order['id']}"))
    return found


def etag(api: ApiClient, order: Order) -> str:
    return api.get(f"/api/orders/{order['id']}").headers["etag"]


def pay(api: ApiClient, order: Order, event_id: str, **fields: Any) -> tuple[str, str | None]:
    """Report a payment in the native format. Return the outcome and the reason of the event."""
    outcome = expect(200, api.pay(order["id"], event_id=event_id, **fields))["outcome"]
    return outcome, last_timeline_event(api, order)["reason"]


def replay(api: ApiClient, event_id: str) -> tuple[str, str | None]:
    """Replay an event. Return its outcome and its reason."""
    event = only_event(api, event_id=event_id)
    expect(200, api.call("POST", f"{EVENTS}/{event['id']}/replay"))
    event = only_event(api, event_id=event_id)
    return event["outcome"], event["reason"]


def kinds(api: ApiClient) -> list[str]:
    return [entry["kind"] for entry in api.items(RECONCILIATION)]


# References ----------------------------------------------------------------------------------------------------------


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


# Paid twice ----------------------------------------------------------------------------------------------------------


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


# Repeated reports ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "first"),
    [
        ("pending", ("applied", None)),
        ("completed", ("needs_review", "order_completed")),
        ("canceled", ("needs_refund", "order_canceled")),
    ],
)
def test_a_second_event_about_a_payment_is_a_duplicate(
    api: ApiClient, order: Order, status: str, first: tuple[str, str | None]
) -> None:
    if status != "pending":
        expect(200, api.change_status(order["id"], status))
    assert pay(api, order, "evt_1", payment_reference="pay_1") == first
    before = etag(api, order), received(api, order), kinds(api)
    for event_id, money in (("evt_2", {}), ("evt_3", {"amount": "4.50"}), ("evt_4", {"currency": "USD"})):
        assert pay(api, order, event_id, payment_reference="pay_1", **money) == ("duplicate", "same_payment")
    assert (etag(api, order), received(api, order), kinds(api)) == before


@pytest.mark.parametrize("status", ["pending", "completed", "canceled"])
@pytest.mark.parametrize("money", [{"amount": "5.00"}, {"currency": "EUR"}, {"amount": "0"}])
def test_another_amount_of_a_known_payment_needs_review_and_changes_nothing(
    api: ApiClient, order: Order, status: str, money: dict[str, str]
) -> None:
    pay(api, order, "evt_1", payment_reference="pay_1")
    if status != "pending":
        expect(200, api.change_status(order["id"], status))
    before = etag(api, order), received(api, order)
    assert pay(api, order, "evt_2", payment_reference="pay_1", **money) == ("needs_review", "payment_changed")
    assert replay(api, "evt_2") == ("needs_review", "payment_changed")
    assert (etag(api, order), received(api, order)) == before
    [entry] = api.items(RECONCILIATION, kind="amount_mismatch")
    assert entry["message"] == "This payment was reported before, with another amount or currency."
    assert entry["action"].startswith("Look up the amount at the processor. If it is not the one that Storefront shows")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ({"amount": "1"}, {"amount": "4.50"}),
        ({"amount": "4.50", "currency": "EUR"}, {"amount": "4.50", "currency": "USD"}),
        ({"amount": "3", "currency": "EUR"}, {"amount": "4.50", "currency": "USD"}),
        ({"currency": "EUR"}, {"currency": "USD"}),
    ],
)
def test_a_corrected_amount_pays_a_pending_order(
    api: ApiClient, order: Order, wrong: dict[str, str], right: dict[str, str]
) -> None:
    assert pay(api, order, "evt_1", payment_reference="pay_1", **wrong)[0] == "needs_review"
    [wrong_payment] = payments(api, order)
    assert pay(api, order, "evt_2", payment_reference="pay_1", **right) == ("applied", None)
    assert received(api, order) == [("pay_1", "4.50", "USD", None)]
    assert payments(api, order)[0]["id"] == wrong_payment["id"]
    assert (current(api, order)["payment_status"], current(api, order)["paid_amount"]) == ("paid", "4.50")
    assert kinds(api) == []


@pytest.mark.parametrize(
    ("wrong", "still_wrong"),
    [
        ({"amount": "1"}, {"amount": "2"}),
        # Half of a correction: the other half is still wrong.
        ({"amount": "1", "currency": "EUR"}, {"amount": "4.50"}),
        ({"amount": "1", "currency": "EUR"}, {"currency": "USD"}),
    ],
)
def test_a_correction_that_is_not_the_total_does_not_pay(
    api: ApiClient, order: Order, wrong: dict[str, str], still_wrong: dict[str, str]
) -> None:
    pay(api, order, "evt_1", payment_reference="pay_1", **wrong)
    before = received(api, order)
    assert pay(api, order, "evt_2", payment_reference="pay_1", **still_wrong) == ("needs_review", "payment_changed")
    assert (received(api, order), api.payment_status(order["id"])) == (before, "unpaid")


def test_a_replay_of_the_wrong_amount_does_not_undo_its_correction(api: ApiClient, order: Order) -> None:
    pay(api, order, "evt_1", payment_reference="pay_1", amount="1")
    pay(api, order, "evt_2", payment_reference="pay_1", amount="4.50")
    before = etag(api, order)
    assert replay(api, "evt_1") == ("duplicate", "same_payment")
    assert received(api, order) == [("pay_1", "4.50", "USD", None)]
    assert (etag(api, order), kinds(api)) == (before, [])


def test_a_reference_of_another_order_needs_review_and_pays_nothing(api: ApiClient, order: Order) -> None:
    other = new_order(api)
    pay(api, other, "evt_1", payment_reference="pay_1")
    before = etag(api, order)
    expected = ("needs_review", "payment_of_other_order")
    assert pay(api, order, "evt_2", payment_reference="pay_1") == expected
    assert replay(api, "evt_2") == expected
    assert (payments(api, order), etag(api, order), len(payments(api, other))) == ([], before, 1)
    [entry] = api.items(RECONCILIATION, kind="amount_mismatch")
    assert entry["order"]["id"] == order["id"]
    assert entry["message"] == "This payment was reported before, for another order."
    assert entry["action"].startswith("Look up the payment at the processor. ")
    # The order can still be paid.
    assert pay(api, order, "evt_3") == ("applied", None)


# Amounts -------------------------------------------------------------------------------------------------------------


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
    assert entry["message"] == "A payment was reported, but its amount is not the total of the order."


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


# Replays and redeliveries --------------------------------------------------------------------------------------------


def test_a_payment_that_the_settings_refused_is_added_by_a_replay(
    api: ApiClient, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(api, order, "evt_1")
    monkeypatch.setenv("PAYMENT_MODE", "live")
    assert pay(api, order, "evt_2", livemode=False) == ("ignored", "other_mode")
    assert len(payments(api, order)) == 1
    monkeypatch.setenv("PAYMENT_MODE", "any")
    assert replay(api, "evt_2") == ("needs_refund", "paid_twice")
    assert [payment["reason"] for payment in payments(api, order)] == [None, "paid_twice"]
    assert current(api, order)["paid_amount"] == "9.00"


@pytest.mark.parametrize(
    ("before", "sent"),
    [
        ([], {"amount": "1"}),
        ([], {"amount": "a lot"}),
        (["paid"], {}),
        (["paid", "canceled"], {"amount": "1"}),
        (["completed"], {}),
        (["canceled"], {}),
    ],
)
def test_a_replay_of_money_that_needs_review_or_a_refund_changes_nothing(
    api: ApiClient, order: Order, before: list[str], sent: dict[str, str]
) -> None:
    for step in before:
        expect(200, api.pay(order["id"]) if step == "paid" else api.change_status(order["id"], step))
    first = pay(api, order, "evt_1", **sent)
    state = etag(api, order), payments(api, order), kinds(api)
    assert replay(api, "evt_1") == first
    assert (etag(api, order), payments(api, order), kinds(api)) == state


def test_a_payment_for_an_order_that_is_created_later_is_added_once(api: ApiClient, order: Order) -> None:
    assert api.pay(UNKNOWN, event_id="evt_1", payment_reference="pay_1").status == 404
    # The processor corrected the order.
    assert pay(api, order, "evt_1", payment_reference="pay_1") == ("applied", None)
    assert pay(api, order, "evt_1", payment_reference="pay_1") == ("duplicate", "same_event")
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
