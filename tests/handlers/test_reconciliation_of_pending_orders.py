"""A paid order that is pending for too long is listed with what to ship, or with why nothing is to be shipped."""

import pytest
from pg8000.native import Connection

from tests.api_client import ApiClient, expect
from tests.handlers.inbox import timeline
from tests.handlers.reconciliation import MAKE_IT, action, entries
from tests.handlers.refunds import Order, cancel, dispute, paid_order, pay_again, payments, requested, set_status

STOP = "Do not ship the goods. When the money went back, cancel the order."
SHIP = "Ship the goods, and complete the order."
SHIP_THE_REST = "Ship the goods that were not refunded, and complete the order."

pytestmark = pytest.mark.usefixtures("expect_no_violations")


@pytest.fixture
def order(api: ApiClient, database: Connection) -> Order:
    """A paid order of 100.00 USD that is pending for too long."""
    order = paid_order(api)
    database.run("UPDATE orders SET created_at = created_at - interval '2 days'")
    return order


def test_a_pending_order_whose_money_went_back_is_canceled(api: ApiClient, order: Order) -> None:
    expect(200, set_status(api, requested(api, order), "succeeded"))
    assert action(api, "pending_too_long") == "Cancel the order."
    expect(200, cancel(api, order))
    assert entries(api) == []


def test_a_paid_order_is_not_shipped_while_a_dispute_is_open_or_after_it_was_lost(api: ApiClient, order: Order) -> None:
    assert action(api, "pending_too_long") == SHIP
    dispute(api, order)
    assert action(api, "pending_too_long") == "Follow the entry of the open dispute. Do not ship the goods meanwhile."
    assert action(api, "disputed").endswith("do not refund the payment, and do not ship the goods.")
    dispute(api, order, "lost")
    assert action(api, "pending_too_long") == "Cancel the order."
    assert timeline(api, order["id"])[-1]["action"] == "If the goods are not shipped, cancel the order."


def test_a_paid_order_is_not_shipped_while_all_its_money_goes_back(api: ApiClient, order: Order) -> None:
    refund = requested(api, order)
    assert action(api, "pending_too_long") == f"A refund of 100.00 USD is requested. {MAKE_IT} {STOP}"
    expect(200, set_status(api, refund, "pending"))
    assert action(api, "pending_too_long") == f"A refund of 100.00 USD is under way. {STOP}"
    expect(200, set_status(api, refund, "failed"))
    assert action(api, "pending_too_long") == SHIP


def test_only_the_goods_that_were_not_refunded_are_shipped(api: ApiClient, order: Order) -> None:
    refund = requested(api, order, amount="39.80")
    assert action(api, "pending_too_long") == f"A refund of 39.80 USD is requested. {MAKE_IT} {SHIP_THE_REST}"
    expect(200, set_status(api, refund, "succeeded"))
    assert action(api, "pending_too_long") == SHIP_THE_REST
    requested(api, order)
    assert action(api, "pending_too_long") == f"A refund of 60.20 USD is requested. {MAKE_IT} {STOP}"


def test_all_goods_are_shipped_if_only_a_second_payment_goes_back(api: ApiClient, order: Order) -> None:
    pay_again(api, order, "pi_again")
    requested(api, order, payment_id=payments(api, order)[0]["id"])
    assert action(api, "pending_too_long") == SHIP
