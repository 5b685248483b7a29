"""Compares the tables of the database with the model, and learns the IDs that the database chose."""

from collections import Counter
from typing import Any

from pg8000.native import Connection

from storefront.audit import AUDIT
from storefront.sql_files import Kind, SqlFile
from tests.integration.books import Entry
from tests.integration.entities import MINUTES_TO_LIVE
from tests.integration.inbox_entry import StoredEvent
from tests.integration.model import Model
from tests.integration.money import ReceivedPayment, Refund

PRODUCTS = "SELECT id::text, quantity, price, deleted_at IS NOT NULL FROM products"
ORDERS = """
SELECT id::text, status::text, payment_status::text, held_since IS NOT NULL, paid_amount, refunded_amount,
       refund_status::text
  FROM orders"""
EVENTS = "SELECT event_id, variant, body IS NOT NULL, outcome::text, reason, id::text FROM payment_events"
PAYMENTS = """
SELECT id::text, order_id::text, reference, amount, currency, reason, open_amount, refunded_amount, lost_amount,
       known_refunds, reported_refunds
  FROM payments
 WHERE order_id IS NOT NULL"""
REFUNDS = """
SELECT id::text, payment_id::text, amount, status::text, processor_reference
  FROM refunds ORDER BY payment_id, requested_at, id"""
DISPUTES = "SELECT id::text, payment_id::text, reference, status::text, amount FROM disputes"
ENTRIES = f"""
SELECT r.kind, r.id::text,
       EXISTS (SELECT FROM acknowledgements a WHERE a.kind = r.kind AND a.entry_id = r.id
                  AND a.money_changes = coalesce((SELECT o.money_changes FROM orders o WHERE o.id = r.order_id), 0))
  FROM reconciliation r
 WHERE r.kind <> 'pending_too_long' OR r.since < now() - interval '{MINUTES_TO_LIVE} minutes'"""

_, _, VIOLATIONS, _ = SqlFile(AUDIT.name, AUDIT.read_text(), Kind.STATEMENTS).statements
"""The query of the audit, without its transaction. PostgreSQL takes ten times as long to plan it as to run it."""


class TableComparison:
    """Prepares the queries once, because they run after each step."""

    def __init__(self, database: Connection) -> None:
        queries = (PRODUCTS, ORDERS, EVENTS, PAYMENTS, REFUNDS, DISPUTES, ENTRIES, VIOLATIONS)
        self.prepared = {query: database.prepare(query) for query in queries}

    def rows(self, query: str) -> list[Any]:
        return self.prepared[query].run() or []

    def check(self, model: Model) -> None:
        """Assert that the database has what the model has, and that the audit finds no violation."""
        assert self.rows(VIOLATIONS) == []
        products = [[p.id, p.quantity, p.price, p.is_deleted] for p in model.products]
        assert sorted(self.rows(PRODUCTS)) == sorted(products)
        orders = [
            [
                o.id,
                o.status,
                o.payment_status,
                model.inbox.holds(o),
                o.money.paid,
                o.money.refunded,
                o.money.refund_status,
            ]
            for o in model.orders
        ]
        assert sorted(self.rows(ORDERS)) == sorted(orders)
        self._check_events(model.inbox.stored())
        payments = [payment for order in model.orders for payment in order.money.payments]
        self._check_payments(payments)
        self._check_refunds([refund for payment in payments for refund in payment.refunds])
        self._check_disputes(payments)
        entries = [(one.kind, entry_id(one), model.books.is_acknowledged(one)) for one in model.books.listed()]
        assert Counter(map(tuple, self.rows(ENTRIES))) == Counter(entries)

    def _check_events(self, events: list[StoredEvent]) -> None:
        found = {(event_id, variant): values for event_id, variant, *values in self.rows(EVENTS)}
        for one in events:
            *values, one.id = found.pop((one.event.event_id, one.variant))
            assert values == [one.has_body, *one.decision]
        assert not found

    def _check_payments(self, payments: list[ReceivedPayment]) -> None:
        """A payment has the ID of the event that first reported it."""
        expected = [[one.id, one.order.id, *one.values()] for one in payments]
        assert sorted(self.rows(PAYMENTS), key=_id) == sorted(expected, key=_id)

    def _check_refunds(self, refunds: list[Refund]) -> None:
        """The refunds of a payment have the order in which they were requested."""
        by_payment: dict[str, list[Refund]] = {}
        for refund in sorted(refunds, key=lambda refund: refund.requested):
            by_payment.setdefault(refund.payment.id, []).append(refund)
        for id_, payment_id, *values in self.rows(REFUNDS):
            refund = by_payment[payment_id].pop(0)
            assert refund.id in (None, id_)
            refund.id = id_
            assert values == [refund.amount, refund.status, refund.reference]
        assert not any(by_payment.values())

    def _check_disputes(self, payments: list[ReceivedPayment]) -> None:
        known = {(one.id, name or ""): dispute for one in payments for name, dispute in one.disputes.items()}
        for id_, payment_id, reference, *values in self.rows(DISPUTES):
            dispute = known.pop((payment_id, reference))
            dispute.id = id_
            assert values == [dispute.status, dispute.amount]
        assert not known


def _id(row: list[Any]) -> str:
    return str(row[0])


def entry_id(entry: Entry) -> str:
    """The ID of an entry is the one of what it is about."""
    return str(entry.about.id)
