"""The random requests that customers send with their own tokens."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
from hypothesis.stateful import rule

from tests.api_client import expect
from tests.handlers.tokens import CUSTOMER_SCOPES
from tests.integration.entities import NOT_CANCELABLE, NUMBER_OUT_OF_RANGE, ORDER_NOT_FOUND, Order, Refusal
from tests.integration.model import Model, NewOrder
from tests.integration.money_machine import MoneyMachine
from tests.integration.responses import assert_matches, expect_refusal
from tests.integration.strategies import customers, orders, orders_as

LINES, UNITS, ORDERS, DAILY, HELD, TIME_TO_LIVE = 2, 10, 3, 3, 5, 30
LIMITS = {
    "ORDER_LINES_LIMIT": LINES,
    "ORDER_UNITS_LIMIT": UNITS,
    "CUSTOMER_ORDERS_LIMIT": ORDERS,
    "CUSTOMER_DAILY_ORDERS_LIMIT": DAILY,
    "CUSTOMER_UNITS_LIMIT": HELD,
    "CUSTOMER_ORDER_TIME_TO_LIVE_MINUTES": TIME_TO_LIVE,
}
"""Small, so that random orders reach them."""

MINUTES_OF_A_DAY = 24 * 60


@dataclass(frozen=True)
class CustomerOrder(NewOrder):
    """An order that a customer places."""

    @property
    def actor(self) -> str:
        return f"customer-{self.customer_id}"

    @property
    def minutes_to_live(self) -> int:
        return min(TIME_TO_LIVE, super().minutes_to_live)

    def exceeded_limit(self, model: Model) -> Refusal | None:
        line_items = self.added_together()
        units = sum(line_item.quantity for line_item in line_items)
        own = [order for order in model.orders if order.customer_id == self.customer_id]
        open_orders = [order for order in own if order.is_unpaid()]
        daily = [order for order in own if order.payment_status != "paid" and order.minutes_old < MINUTES_OF_A_DAY]
        held = sum(line_item.quantity for order in open_orders for line_item in order.line_items)
        exceeded = {
            (422, "order-limit: order_lines"): len(line_items) > LINES,
            (422, "order-limit: order_units"): max(line_item.quantity for line_item in line_items) > UNITS,
            (422, "order-limit: customer_units"): units > HELD,
            (429, "customer-limit: customer_orders"): len(open_orders) >= ORDERS,
            (429, "customer-limit: customer_units"): held + units > HELD,
            (429, "customer-limit: daily_orders"): len(daily) >= DAILY,
        }
        return next((refusal for refusal, applies in exceeded.items() if applies), None)


customer_orders = orders_as(CustomerOrder)


class CustomerMachine(MoneyMachine):
    """Draws what customers do."""

    @contextmanager
    def token_of(self, customer_id: int) -> Iterator[None]:
        """Send requests with the token of a customer."""
        self.claims = {
            "sub": f"customer-{customer_id}",
            "customer_id": str(customer_id),
            "scope": " ".join(CUSTOMER_SCOPES),
        }
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("AUTH", "on")
            yield
        self.claims = None

    @rule(order=customer_orders)
    def place_an_order_as_a_customer(self, order: CustomerOrder) -> None:
        with self.token_of(order.customer_id):
            self.post(order)

    @rule(order=orders, customer_id=customers)
    def cancel_an_order_as_a_customer(self, order: Order, customer_id: int) -> None:
        with self.token_of(customer_id):
            response = self.api.call("PUT", f"/api/orders/{order.id}/status", {"status": "canceled"})
        if not expect_refusal(response, self.refused_cancellation(order, customer_id)):
            order.change_status("canceled", actor=f"customer-{customer_id}")
            self.seen["canceled by the customer"] += 1
            assert_matches(expect(200, response), order.as_response())

    def refused_cancellation(self, order: Order, customer_id: int) -> Refusal | None:
        if order not in self.model.orders or order.customer_id != customer_id:
            return ORDER_NOT_FOUND
        if not order.is_unpaid() or self.inbox.holds(order):
            return NOT_CANCELABLE
        return None if order.can_return_stock() else NUMBER_OUT_OF_RANGE
