"""Random payments, refunds and disputes of many orders, and the state that they lead to in any order of arrival."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from pg8000.native import Connection

from tests.integration.books import order_of
from tests.integration.entities import Order
from tests.integration.events import Event
from tests.integration.model import Model
from tests.integration.money import CURRENCY, ReceivedPayment

REFUND_STORIES = [
    *(["pending", "succeeded"], ["succeeded"], ["pending", "failed"], ["succeeded", "failed"]),
    *(["pending", "canceled"], ["pending"], ["canceled"]),
]
DISPUTE_STORIES = [["open"], ["open", "won"], ["open", "lost"], ["open", "won", "open"], ["open", "lost", "won"]]

ORDERS = """
SELECT id::text, status::text, payment_status::text, paid_amount, refunded_amount, refund_status::text FROM orders"""
PAYMENTS = """
SELECT order_id::text, reference, amount, currency, open_amount, refunded_amount, lost_amount, known_refunds,
       reported_refunds
  FROM payments WHERE order_id IS NOT NULL"""
# Which of two payments is the second one depends on their arrival.
REASONS = "SELECT order_id::text, reason FROM payments WHERE order_id IS NOT NULL"
REFUNDS = """
SELECT p.reference, r.processor_reference, r.amount, r.status::text
  FROM refunds r JOIN payments p ON p.id = r.payment_id"""
DISPUTES = """
SELECT p.reference, d.reference, d.status::text, d.amount FROM disputes d JOIN payments p ON p.id = d.payment_id"""
ENTRIES = "SELECT kind, order_id::text FROM reconciliation WHERE kind <> 'pending_too_long'"


class Processor:
    """A processor of payments. It sends several events about each payment, refund and dispute."""

    def __init__(self, random: Random) -> None:
        self.random, self.sent = random, 0

    def events_of(self, order: Order) -> Iterator[Event]:
        """The events of an order, in the order in which they happened."""
        random = self.random
        if random.random() < 0.3:
            yield self._event(order, "failed")
        for number in range(random.choice([0, 1, 1, 1, 1, 1, 2])):
            reference = f"pi_{order.number}_{number}"
            yield self._event(order, "charged", order.total, reference=reference)
            refunds = [self.refund(reference, f"re_{n}", order.total) for n in range(random.choice([0, 0, 1, 2, 3]))]
            yield from (event for story in refunds for event in story)
            yield from self._disputes(reference)
            if refunds and random.random() < 0.5:
                total = sum((story[0].amount or Decimal(0) for story in refunds), Decimal(0))
                yield self._event(None, "refund_total", random.choice([total, Decimal(1)]), reference=reference)

    def refund(self, reference: str, name: str, total: Decimal, **fields: Any) -> list[Event]:
        """The events about a refund of a payment."""
        amount = self.random.choice([Decimal(1), Decimal("2.50"), Decimal(4), total])
        about = {"reference": reference, "object_reference": f"{name}_{reference}", **fields}
        story = self.random.choice(REFUND_STORIES)
        return [self._event(None, "refund", amount, status=status, **about) for status in story]

    def _disputes(self, reference: str) -> Iterator[Event]:
        if self.random.random() < 0.15:
            for status in self.random.choice(DISPUTE_STORIES):
                about = {"reference": reference, "object_reference": f"dp_{reference}", "status": status}
                yield self._event(None, "dispute", Decimal(3), **about)

    def _event(self, order: Order | None, report: str, amount: Decimal | None = None, **about: Any) -> Event:
        self.sent += 1
        return Event(f"evt_{self.sent}", order, report, amount, CURRENCY, minute=self.sent, **about)


def assert_database_matches(database: Connection, model: Model) -> None:
    """Compare everything that does not depend on the order of arrival."""
    payments = [payment for order in model.orders for payment in order.money.payments]
    expected = {
        ORDERS: [[o.id, o.status, o.payment_status, *_amounts(o)] for o in model.orders],
        PAYMENTS: [[one.order.id, *_values(one)] for one in payments],
        REASONS: [[one.order.id, one.reason] for one in payments],
        REFUNDS: [[p.reference, one.reference, one.amount, one.status] for p in payments for one in p.refunds],
        DISPUTES: [[p.reference, name, one.status, one.amount] for p in payments for name, one in p.disputes.items()],
        ENTRIES: [[entry.kind, (order := order_of(entry)) and order.id] for entry in model.books.listed()],
    }
    for query, rows in expected.items():
        found = Counter(map(tuple, database.run(query) or []))
        assert found == Counter(map(tuple, rows)), query


def _amounts(order: Order) -> list[Any]:
    return [order.money.paid, order.money.refunded, order.money.refund_status]


def _values(payment: ReceivedPayment) -> list[Any]:
    reference, amount, currency, _reason, *sums = payment.values()
    return [reference, amount, currency, *sums]
