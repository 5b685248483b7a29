"""Whatever people, the program and banks do, and in whatever order Stripe reports it: the shop ends as Stripe does."""

from decimal import Decimal
from random import Random
from typing import Any

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import expect
from tests.refund_program import run
from tests.refund_shop import Shop
from tests.sizes import REFUND_MIXES, SEED
from tests.stripe_refunds import Fault, Payment, RefusedError, Stripe

STEPS = 14
LOSSES: tuple[Fault, ...] = ("request lost", "response lost", "500 after the refund")


class Mix:
    """Random changes of the refunds of a few payments."""

    def __init__(self, shop: Shop, chance: Random) -> None:
        self.shop = shop
        self.account = shop.account
        self.chance = chance
        self.payments = [shop.paid("10.00") for _ in range(3)]
        self.requested: set[str] = set()

    def change(self) -> None:
        """Change something, and deliver the events or keep them for later."""
        changes = (self.request, self.refund_in_the_dashboard, self.execute, self.settle, self.withdraw, self.dispute)
        self.chance.choice(changes)(self.chance.choice(self.payments))
        if self.chance.random() < 0.5:
            self.shop.deliver(self.chance)

    def request(self, payment: Payment) -> None:
        body = {"amount": self.chance.choice(("2.00", "3.00", "5.00"))}
        response = self.shop.api.call("POST", f"/api/orders/{payment.order_id}/refunds", body)
        if response.status == 201:
            self.requested.add(response.json["id"])

    def refund_in_the_dashboard(self, payment: Payment) -> None:
        payment.refund_status = self.chance.choice(("pending", "succeeded"))
        try:
            self.account.refund(payment.reference, self.chance.choice((200, 300, 500)))
        except RefusedError:
            # Not enough money is left.
            return

    def execute(self, _: Payment) -> None:
        """Run the program. Stripe may not respond, until the library gives up."""
        self.account.faults.extend([self.chance.choice(LOSSES)] * self.chance.choice((0, 0, 3)))
        run()
        self.account.faults.clear()

    def settle(self, payment: Payment) -> None:
        for refund in self.account.refunds_of(payment.reference)[:1]:
            if refund["status"] == "pending":
                self.account.settle(refund, self.chance.choice(("succeeded", "failed", "canceled")))
            elif refund["status"] == "succeeded":
                self.account.settle(refund, "failed")

    def withdraw(self, _: Payment) -> None:
        for refund in self.shop.api.items("/api/refunds", status="requested")[:1]:
            self.shop.set_status(refund["id"], "canceled")

    def dispute(self, payment: Payment) -> None:
        if payment.disputed:
            self.shop.dispute(payment, "closed", "won")
        else:
            self.shop.dispute(payment, "created", "needs_response")

    def settle_everything(self) -> None:
        """End the disputes. The program makes what is still requested, a day later."""
        for payment in self.payments:
            if payment.disputed:
                self.shop.dispute(payment, "closed", "won")
        self.shop.deliver(self.chance)
        self.account.expire_keys()
        run()
        self.shop.deliver(self.chance)


def at_stripe(account: Stripe, payment: Payment) -> dict[str, list[int]]:
    refunds = account.refunds_of(payment.reference)
    return {
        name: sorted(one["amount"] for one in refunds if one["status"] == name) for name in ("pending", "succeeded")
    }


def in_the_shop(refunds: list[dict[str, Any]]) -> dict[str, list[int]]:
    open_or_done = {"pending": ("requested", "pending"), "succeeded": ("succeeded",)}
    return {
        name: sorted(int(100 * Decimal(one["amount"])) for one in refunds if one["status"] in statuses)
        for name, statuses in open_or_done.items()
    }


@pytest.mark.long
@pytest.mark.parametrize("number", range(REFUND_MIXES.chosen))
def test_the_shop_ends_as_stripe_does(shop: Shop, account: Stripe, database: Connection, number: int) -> None:
    mix = Mix(shop, Random(f"{SEED}-{number}"))
    for _ in range(STEPS):
        mix.change()
    mix.settle_everything()

    for payment in mix.payments:
        refunds = shop.api.items(f"/api/orders/{payment.order_id}/refunds", page_size=100)
        assert in_the_shop(refunds) == at_stripe(account, payment)
        order = expect(200, shop.api.get(f"/api/orders/{payment.order_id}"))
        assert 100 * Decimal(order["refunded_amount"]) == sum(at_stripe(account, payment)["succeeded"])
    made = [one["metadata"]["refund_id"] for one in account.refunds if one["metadata"]]
    assert len(made) == len(set(made))
    assert set(made) <= mix.requested
    kinds = {entry["kind"] for entry in shop.api.items("/api/reconciliation", page_size=100)}
    assert kinds <= {"refund_failed"}
    assert violations(database) == []
