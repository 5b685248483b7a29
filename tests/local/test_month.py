"""A month of a shop, over HTTP on the local stack. At its end, only what people still have to do is listed."""

from decimal import Decimal
from random import Random
from typing import Any, NamedTuple

from pg8000.native import Connection

from storefront.audit import violations
from tests import refund_program
from tests.api_client import expect
from tests.local.month import STORIES, Month
from tests.local.stack import Stack
from tests.refund_shop import Shop
from tests.stripe_refunds import Stripe


class Books(NamedTuple):
    """What an order shows at the end. lost: by disputes, which the order does not show."""

    status: str
    payment_status: str
    total: str
    paid: str
    refunded: str
    refund_status: str
    lost: str = "0.00"


LEDGER = {
    "shipped": Books("completed", "paid", "24.90", "24.90", "0.00", "none"),
    "abandoned": Books("canceled", "unpaid", "10.00", "0.00", "0.00", "none"),
    "paid at the second attempt": Books("completed", "paid", "10.00", "10.00", "0.00", "none"),
    "paid twice": Books("completed", "paid", "10.00", "20.00", "0.00", "none"),
    "paid twice and refunded": Books("completed", "paid", "10.00", "20.00", "10.00", "partial"),
    "paid twice and refunded in the dashboard": Books("completed", "paid", "10.00", "20.00", "10.00", "partial"),
    "sent back": Books("completed", "paid", "30.00", "30.00", "20.00", "partial"),
    "sent back for all its money": Books("completed", "paid", "20.00", "20.00", "20.00", "full"),
    "refunded in the dashboard": Books("completed", "paid", "10.00", "10.00", "4.00", "partial"),
    "requested and refunded in the dashboard": Books("completed", "paid", "10.00", "10.00", "4.00", "partial"),
    "more requested than the dashboard left": Books("completed", "paid", "10.00", "10.00", "6.01", "partial"),
    "refund failed": Books("completed", "paid", "10.00", "10.00", "0.00", "none"),
    "refund failed and repeated": Books("completed", "paid", "10.00", "10.00", "10.00", "full"),
    "disputed": Books("completed", "paid", "10.00", "10.00", "0.00", "none"),
    "dispute won": Books("completed", "paid", "10.00", "10.00", "4.00", "partial"),
    "dispute lost": Books("completed", "paid", "10.00", "10.00", "0.00", "none", lost="10.00"),
    "paid late": Books("canceled", "unpaid", "10.00", "10.00", "0.00", "none"),
    "paid late and refunded": Books("canceled", "unpaid", "10.00", "10.00", "10.00", "full"),
    "canceled with refund": Books("canceled", "paid", "20.00", "20.00", "20.00", "full"),
    "canceled and refunded in the dashboard": Books("canceled", "paid", "10.00", "10.00", "10.00", "full"),
    "paid in cash": Books("completed", "unpaid", "10.00", "0.00", "0.00", "none"),
    "never paid": Books("completed", "unpaid", "10.00", "0.00", "0.00", "none"),
    "paid too little": Books("pending", "unpaid", "10.00", "9.00", "0.00", "none"),
    "paid too much": Books("completed", "unpaid", "10.00", "11.00", "1.00", "partial"),
    "paid by transfer and refunded by hand": Books("completed", "paid", "10.00", "10.00", "2.50", "partial"),
    "reported in an event that cannot be read": Books("completed", "paid", "10.00", "10.00", "0.00", "none"),
}

PAID, REFUNDED, LOST = Decimal("314.90"), Decimal("131.51"), Decimal("10.00")
"""The sums of the ledger, added up by hand."""

REFUNDED_ELSEWHERE = Decimal("2.50")
"""The refund of the payment by transfer. Stripe made the others."""

UNITS_IN_STOCK = 1000 - 31 + 3 + 6
"""31 were ordered. 3 came back with refunds, and 6 with cancellations."""

TO_DO = [
    (
        "disputed",
        "disputed",
        "Answer the dispute at the processor before its deadline. Until it ends, do not refund the payment.",
    ),
    (
        "never paid",
        "completed_and_unpaid",
        "If the customer paid in another way, such as in cash, acknowledge this entry. Otherwise, ask for the money.",
    ),
    ("paid late", "paid_and_canceled", "Request a refund of the payment here, or make it at the processor."),
    (
        "paid too little",
        "amount_mismatch",
        (
            "If you accept the payment, complete the order. It stays unpaid here. Otherwise, refund the payment "
            "and cancel the order."
        ),
    ),
    ("paid twice", "paid_twice", "Refund one of the payments. Request the refund here, or make it at the processor."),
    (
        "refund failed",
        "refund_failed",
        (
            "Look up the reason at the processor. Then request the refund again. If you pay in another way, "
            "acknowledge this entry."
        ),
    ),
    (
        "without an order",
        "event_without_order",
        (
            "Look up the payment at the processor. If it is for one of your orders, have it reported again with "
            "the right order ID. If it is for another shop or system, acknowledge this entry. "
            "Otherwise, refund it at the processor. Then acknowledge this entry."
        ),
    ),
    (
        "without an order",
        "unreadable_event",
        (
            "Look up the payment at the processor. If there is none, acknowledge this entry. "
            "Otherwise, have the program that sent the event corrected, and the event sent again. The order can expire "
            "meanwhile."
        ),
    ),
]
"""The order, the kind of the entry, and what it asks people to do."""

ACKNOWLEDGED = [("paid in cash", "completed_and_unpaid")]


def books(month: Month, order_id: str) -> Books:
    order = expect(200, month.api.get(f"/api/orders/{order_id}"))
    payments = month.api.items(f"/api/orders/{order_id}/payments")
    refunds = month.api.items(f"/api/orders/{order_id}/refunds")
    # The rows add up to the amounts of the order.
    assert sum(Decimal(one["amount"]) for one in payments) == Decimal(order["paid_amount"])
    returned = sum(Decimal(one["amount"]) for one in refunds if one["status"] == "succeeded")
    assert returned == Decimal(order["refunded_amount"]) == sum(Decimal(one["refunded_amount"]) for one in payments)
    lost = sum(
        (Decimal(dispute["amount"]) for one in payments for dispute in one["disputes"] if dispute["status"] == "lost"),
        Decimal("0.00"),
    )
    amounts = order["total_price"], order["paid_amount"], order["refunded_amount"]
    return Books(order["status"], order["payment_status"], *amounts, order["refund_status"], str(lost))


def listed(month: Month, *, acknowledged: bool = False) -> list[dict[str, Any]]:
    """The entries, each with the name of its order."""
    names = {order_id: name for name, order_id in month.orders.items()}
    entries = month.entries(acknowledged="true" if acknowledged else "false")
    return [{**one, "name": names.get(one["order"]["id"]) if one["order"] else "without an order"} for one in entries]


def test_after_a_month_only_what_people_have_to_do_is_listed(stack: Stack, rows: Connection) -> None:
    account = Stripe()
    month = Month(Shop(stack.url, account))
    # Of the sample data, and of other tests on this stack.
    others = {entry["id"] for entry in month.entries()}
    chance = Random(28)
    stories = [story(month) for story in STORIES]
    with refund_program.connected(account, stack.url):
        while stories:
            chance.shuffle(stories)
            stories = [story for story in stories if next(story, "ended") != "ended"]
            month.shop.deliver(chance)
            refund_program.run()
            month.shop.deliver(chance)

    assert {name: books(month, order_id) for name, order_id in month.orders.items()} == LEDGER
    assert sum(Decimal(one.paid) for one in LEDGER.values()) == PAID
    assert sum(Decimal(one.refunded) for one in LEDGER.values()) == REFUNDED
    assert sum(Decimal(one.lost) for one in LEDGER.values()) == LOST
    assert sum(account.returned(reference) for reference in account.payments) == 100 * (REFUNDED - REFUNDED_ELSEWHERE)
    assert month.api.stock(month.tea) == UNITS_IN_STOCK

    to_do = [(one["name"], one["kind"], one["action"]) for one in listed(month) if one["id"] not in others]
    assert sorted(to_do) == TO_DO
    acknowledged = [(one["name"], one["kind"]) for one in listed(month, acknowledged=True)]
    assert sorted(one for one in acknowledged if one[0] in month.orders) == ACKNOWLEDGED
    assert violations(rows) == []
