"""A canceled order is listed, with what to do, until all of its money went back."""

from typing import Any

import pytest

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import timeline
from tests.handlers.reconciliation import MAKE_IT, TOO, action, entries, kinds
from tests.handlers.refunds import (
    Order,
    cancel,
    dispute,
    paid_order,
    pay_again,
    refund_event,
    requested,
    set_status,
    unpaid_order,
)

pytestmark = pytest.mark.usefixtures("expect_no_violations")


def canceled_after_payment(api: ApiClient) -> Order:
    order = paid_order(api)
    expect(200, cancel(api, order))
    return order


def paid_after_cancellation(api: ApiClient) -> Order:
    order = unpaid_order(api)
    expect(200, cancel(api, order))
    assert pay_again(api, order, f"pi_{order['number']}") == "needs_refund"
    return order


CANCELED = pytest.mark.parametrize("canceled", [canceled_after_payment, paid_after_cancellation])


@CANCELED
def test_money_without_goods_is_listed_until_its_refund_succeeds(api: ApiClient, canceled: Any) -> None:
    order = canceled(api)
    [entry] = entries(api)
    assert (entry["kind"], entry["order"]["id"]) == ("paid_and_canceled", order["id"])
    assert entry["action"].startswith("Request a refund")
    refund = requested(api, order)
    assert [one["id"] for one in entries(api)] == [entry["id"]]
    assert action(api, "paid_and_canceled") == f"A refund of 100.00 USD is requested. {MAKE_IT}"
    # It is on its way.
    expect(200, set_status(api, refund, "pending"))
    assert entries(api) == []
    expect(200, set_status(api, refund, "succeeded"))
    assert entries(api) == []


@CANCELED
@pytest.mark.parametrize("end", ["failed", "canceled"])
def test_money_without_goods_is_listed_again_if_its_refund_does_not_succeed(
    api: ApiClient, canceled: Any, end: str
) -> None:
    order = canceled(api)
    [entry] = entries(api)
    refund = requested(api, order)
    expect(200, set_status(api, refund, "pending"))
    expect(200, set_status(api, refund, end))
    assert kinds(api) == ["paid_and_canceled"] + ["refund_failed"] * (end == "failed")
    assert entries(api)[0]["id"] == entry["id"]


def test_a_bank_that_returns_a_refund_lists_the_order_again(api: ApiClient) -> None:
    order = canceled_after_payment(api)
    assert refund_event(api, order, "succeeded", "re_1", "100") == "applied"
    assert entries(api) == []
    assert refund_event(api, order, "failed", "re_1", "100") == "applied"
    assert kinds(api) == ["paid_and_canceled", "refund_failed"]
    assert refund_event(api, order, "succeeded", "re_2", "100") == "applied"
    assert entries(api) == []


@CANCELED
def test_a_partial_refund_ends_nothing(api: ApiClient, canceled: Any) -> None:
    order = canceled(api)
    expect(200, set_status(api, requested(api, order, amount="60"), "succeeded"))
    assert kinds(api) == ["paid_and_canceled"]
    requested(api, order, amount="30")
    assert action(api, "paid_and_canceled") == (f"A refund of 30.00 USD is requested. {MAKE_IT} {TOO}")
    expect(200, set_status(api, requested(api, order), "pending"))
    assert action(api, "paid_and_canceled") == (
        f"A refund of 10.00 USD is under way. A refund of 30.00 USD is requested. {MAKE_IT}"
    )
    for refund in api.items("/api/refunds", status="requested"):
        expect(200, set_status(api, refund, "succeeded"))
    assert entries(api) == []


@CANCELED
def test_a_lost_dispute_returns_the_money_of_a_canceled_order(api: ApiClient, canceled: Any) -> None:
    order = canceled(api)
    dispute(api, order)
    assert kinds(api) == ["paid_and_canceled", "disputed"]
    assert action(api, "paid_and_canceled").endswith("First follow the entry of the open dispute: it stops refunds.")
    dispute(api, order, "won")
    assert kinds(api) == ["paid_and_canceled"]
    dispute(api, order, "lost", event_id="evt_reopened")
    assert entries(api) == []


def test_a_canceled_order_without_a_price_is_not_listed(api: ApiClient) -> None:
    tea = api.create_product()["id"]
    gift = api.order((tea, 1), charges=[{"kind": "discount", "label": "Gift", "amount": "-4.50"}])
    expect(200, cancel(api, gift))
    assert entries(api) == []


def test_cancel_and_refund_leaves_nothing_to_do_after_the_refunds(api: ApiClient) -> None:
    order = paid_order(api)
    pay_again(api, order, "pi_again")
    expect(200, cancel(api, order, refund=True))
    assert kinds(api) == ["paid_and_canceled", "paid_twice"]
    for refund in api.items("/api/refunds", status="requested"):
        assert "is requested." in action(api, "paid_and_canceled")
        expect(200, set_status(api, refund, "pending"))
    assert entries(api) == []


def test_the_timeline_says_how_to_return_the_money_of_a_canceled_order(api: ApiClient) -> None:
    order = canceled_after_payment(api)

    def stated() -> str | None:
        [entry] = [one for one in timeline(api, order["id"]) if one["cause"] == "status_change"]
        action: str | None = entry["action"]
        return action

    assert stated() == "Request a refund of the payment here, or make it at the processor."
    requested(api, order)
    assert stated() is None
