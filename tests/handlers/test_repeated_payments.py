"""A payment that is reported again is a duplicate, or it corrects or contradicts the first report."""

import pytest

from tests.api_client import UNKNOWN, ApiClient, expect
from tests.handlers.conftest import new_order
from tests.handlers.inbox import RECONCILIATION, pay, replay
from tests.handlers.reconciliation import kinds
from tests.handlers.refunds import Order, current, etag, payments, received, requested, set_status

pytestmark = pytest.mark.usefixtures("expect_no_violations")


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


def test_a_corrected_amount_of_a_second_payment_does_not_pay_the_order_again(api: ApiClient, order: Order) -> None:
    assert pay(api, order, "evt_1", payment_reference="pay_1") == ("applied", None)
    assert pay(api, order, "evt_2", payment_reference="pay_2", amount="1") == ("needs_refund", "paid_twice")
    before = received(api, order), etag(api, order)
    assert pay(api, order, "evt_3", payment_reference="pay_2", amount="4.50") == ("needs_review", "payment_changed")
    assert (received(api, order), etag(api, order)) == before


def test_a_corrected_amount_does_not_pay_an_order_that_was_completed(api: ApiClient, order: Order) -> None:
    assert pay(api, order, "evt_1", payment_reference="pay_1", amount="1")[0] == "needs_review"
    expect(200, api.change_status(order["id"], "completed"))
    assert pay(api, order, "evt_2", payment_reference="pay_1", amount="4.50") == ("needs_review", "payment_changed")
    assert current(api, order)["payment_status"] == "unpaid"


@pytest.mark.parametrize("status", ["requested", "canceled", "succeeded"])
def test_a_payment_with_a_refund_keeps_its_currency(api: ApiClient, order: Order, status: str) -> None:
    pay(api, order, "evt_1", payment_reference="pay_1", amount="3", currency="EUR")
    refund = requested(api, order, amount="1")
    if status != "requested":
        expect(200, set_status(api, refund, status))
    before = received(api, order), etag(api, order)
    for outcome in (
        pay(api, order, "evt_2", payment_reference="pay_1", currency="USD", amount="4.50"),
        replay(api, "evt_2"),
    ):
        assert outcome == ("needs_review", "payment_changed")
    assert (received(api, order), etag(api, order)) == before
    assert pay(api, order, "evt_3", payment_reference="pay_2") == ("applied", None)


def test_a_corrected_amount_of_a_payment_with_a_refund_pays_the_order(api: ApiClient, order: Order) -> None:
    pay(api, order, "evt_1", payment_reference="pay_1", amount="3")
    requested(api, order, amount="1")
    assert pay(api, order, "evt_2", payment_reference="pay_1", amount="4.50") == ("applied", None)


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
