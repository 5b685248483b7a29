"""An upgrade adds the payments that earlier releases did not store."""

import json
from pathlib import Path

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from storefront.migrate import PACKAGE, MigrationError, migrate
from tests.api_client import ROOT, UNKNOWN
from tests.databases import copied_package
from tests.integration.races import change_status, refund, report, report_refund

RELEASE = ROOT / "tests" / "fixtures" / "release_0_2_0"
BACKFILL = "0014_earlier_payments.sql"

PENDING, COMPLETED, CANCELED = "pending", "completed", "canceled"


def order(number: int) -> str:
    return f"b0000000-0000-4000-8000-{number:012}"


# In the file, an event with a reference in its body pays each order, except the hundredth.
ORDERS = (RELEASE / "orders.sql").read_text().replace(":rows", "199").replace(":products", "20")


class Inbox:
    """Changes the events of the orders, as release 0.2.0 would have stored them."""

    def __init__(self, database: Connection) -> None:
        self.database = database

    def add(
        self,
        number: int,
        reference: str | None,
        outcome: str,
        reason: str | None,
        *,
        status: str = "paid",
        amount: str | None = None,
        currency: str = "USD",
        event_id: str | None = None,
        scheme: str = "stripe",
        order_id: str | None = None,
    ) -> None:
        """Add an event, with an entry in the timeline of its order."""
        body = json.dumps({"data": {"object": {"id": reference or "cus_1"}}})
        self.database.run(
            """WITH event AS (
                   INSERT INTO payment_events (scheme, provider, event_id, type, order_id, payment_status, amount,
                                               currency, body, outcome, reason, variant)
                   SELECT :scheme, CASE WHEN :scheme = 'stripe' THEN 'stripe' ELSE 'storefront' END,
                          coalesce(:event_id, 'evt_' || gen_random_uuid()),
                          CASE WHEN :scheme = 'stripe' THEN 'payment_intent.succeeded' END, :order_id,
                          CAST(:status AS payment_status), coalesce(CAST(:amount AS numeric), o.total_price),
                          :currency, :body, CAST(:outcome AS payment_event_outcome), :reason,
                          CASE WHEN :reason = 'other_content' THEN 1 ELSE 0 END
                     FROM (SELECT 1) one LEFT JOIN orders o ON o.id = :order_id
                   RETURNING *)
               INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status,
                                         to_payment_status, payment_event_id, inbox_id, received_payment_status,
                                         outcome, reason)
               SELECT o.id, 'payment_event', 'payment-processor', o.status, o.payment_status, o.status,
                      o.payment_status, e.event_id, e.id, e.payment_status, e.outcome, e.reason
                 FROM event e JOIN orders o ON o.id = e.order_id""",
            scheme=scheme,
            event_id=event_id,
            order_id=order_id or order(number),
            status=status,
            amount=amount,
            currency=currency,
            body=body,
            outcome=outcome,
            reason=reason,
        )

    def identify(self, number: int, event_id: str, scheme: str = "x_signature") -> None:
        """Give the event that paid an order another identity, and no reference in its body."""
        self.database.run(
            "UPDATE payment_events SET scheme = :scheme, provider = 'storefront', event_id = :event_id, type = NULL,"
            " body = '{}' WHERE order_id = :id",
            scheme=scheme,
            event_id=event_id,
            id=order(number),
        )
        self.database.run(
            "UPDATE order_events SET payment_event_id = :event_id WHERE order_id = :id AND inbox_id IS NOT NULL",
            event_id=event_id,
            id=order(number),
        )

    def refer(self, number: int, reference: str) -> None:
        """Give the event that paid an order another reference."""
        self.database.run(
            "UPDATE payment_events SET body = :body WHERE order_id = :id",
            body=json.dumps({"data": {"object": {"id": "cs_1", "payment_intent": reference}}}),
            id=order(number),
        )

    def set_back(self, number: int, status: str) -> None:
        """Let an order be unpaid."""
        for statement in (
            "DELETE FROM payment_events WHERE order_id = :id",
            "DELETE FROM order_events WHERE order_id = :id AND cause <> 'placed'",
            f"UPDATE orders SET payment_status = 'unpaid', status = '{status}' WHERE id = :id",
            f"""INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status,
                                          to_payment_status)
                SELECT id, 'status_change', 'test', 'pending', 'unpaid', '{status}', 'unpaid' FROM orders
                 WHERE id = :id AND status <> 'pending'""",
        ):
            self.database.run(statement, id=order(number))
        if status == CANCELED:
            self.database.run(
                """WITH restocked AS (
                       INSERT INTO stock_movements (product_id, kind, delta, order_id, actor)
                       SELECT product_id, 'restock', quantity, order_id, 'test' FROM order_items WHERE order_id = :id
                       RETURNING *)
                   UPDATE products p SET quantity = p.quantity + r.delta FROM restocked r WHERE r.product_id = p.id""",
                id=order(number),
            )


Rows = list[tuple[str | None, str, str, str | None]]

PAYMENTS: dict[int, Rows] = {
    1: [(f"pi_{order(1)}", "", "all", None)],
    2: [(f"pi_{order(2)}", "", "all", None), ("pi_again", "", "all", "paid_twice")],
    3: [(f"pi_{order(3)}", "", "all", None)],
    4: [("pi_late", "", "all", "order_canceled")],
    5: [("pi_little", "", "0.5", "amount_differs")],
    6: [("pi_euro", "", "all", "currency_differs")],
    7: [("pi_after", "", "all", "order_completed")],
    8: [(f"pi_{order(8)}", "", "all", None)],
    9: [],
    10: [(None, "x_signature", "all", None)],
    11: [("payment-11", "x_signature", "all", None)],
    12: [("pi_shared", "", "all", None)],
    # The same payment also paid order 12.
    13: [],
}
"""The payments of each order after the upgrade: reference, event_scheme, amount and reason."""


def fill(database: Connection) -> None:
    """Store the orders and the events that release 0.2.0 left behind."""
    database.run(ORDERS)
    # As in that file: entries of the timeline cannot be changed otherwise.
    database.run("SET session_replication_role = replica")
    inbox = Inbox(database)
    inbox.add(2, "pi_again", "duplicate", "same_status")
    # Stripe reports one payment with two events.
    inbox.add(3, f"pi_{order(3)}", "duplicate", "same_status")
    for number, status, reference, outcome, reason, other in (
        (4, CANCELED, "pi_late", "needs_refund", "order_canceled", {}),
        (5, PENDING, "pi_little", "needs_review", "amount_differs", {"amount": "0.50"}),
        (6, PENDING, "pi_euro", "needs_review", "currency_differs", {"currency": "EUR"}),
        (7, COMPLETED, "pi_after", "needs_review", "order_completed", {}),
    ):
        inbox.set_back(number, status)
        inbox.add(number, reference, outcome, reason, **other)
    inbox.add(8, "pi_conflict", "needs_review", "other_content", event_id=f"evt_{order(8)}")
    inbox.set_back(9, PENDING)
    inbox.add(9, "pi_failed", "ignored", "order_not_pending", status="failed")
    inbox.add(0, "pi_unknown", "unknown_order", "unknown_order", order_id=UNKNOWN)
    inbox.identify(10, "0123456789abcdef" * 4)
    inbox.identify(11, "payment-11")
    for number in (12, 13):
        inbox.refer(number, "pi_shared")
    database.run("SET session_replication_role = origin")


@pytest.fixture
def filled(earlier_database: Connection) -> Connection:
    fill(earlier_database)
    return earlier_database


def payments(database: Connection, number: int) -> Rows:
    rows = database.run(
        """SELECT p.reference, p.event_scheme,
                  CASE WHEN p.amount = o.total_price THEN 'all' ELSE p.amount::text END, p.reason
             FROM payments p JOIN orders o ON o.id = p.order_id
            WHERE o.id = :id ORDER BY p.reason NULLS FIRST""",
        id=order(number),
    )
    return [(reference, scheme, amount, reason) for reference, scheme, amount, reason in rows]


def until(number: str, folder: Path) -> Path:
    """A package with the migrations before this number, and without functions."""
    package = copied_package(folder)
    for file in package.glob("*/*.sql"):
        if file.name >= number:
            file.unlink()
    return package


def interrupt(database: Connection, folder: Path) -> None:
    """Upgrade, until the step that adds the payments fails."""
    package = copied_package(folder / "interrupted")
    (package / "migrations" / BACKFILL).write_text("-- In batches: interrupted.\nSELECT 1 / 0;\n")
    with pytest.raises(MigrationError, match="22012"):
        migrate(database, package)


def expect_complete(database: Connection) -> None:
    assert {number: payments(database, number) for number in PAYMENTS} == PAYMENTS
    found = database.run("SELECT DISTINCT right(order_id::text, 3) FROM payments WHERE amount IS NOT NULL")
    # All except the hundredth, which nobody paid, and those above without payments.
    assert {int(number) for [number] in found} == set(range(1, 200)) - {9, 13, 100}
    assert database.run(
        """SELECT count(*) FROM orders o
            WHERE paid_amount <> (SELECT coalesce(sum(p.amount), 0) FROM payments p
                                   WHERE p.order_id = o.id AND p.currency = o.currency)"""
    ) == [[0]]
    assert violations(database) == []


def test_each_payment_of_an_earlier_release_is_stored_with_its_reference(filled: Connection) -> None:
    times = filled.run("SELECT max(updated_at) FROM orders")
    assert BACKFILL in migrate(filled)
    expect_complete(filled)
    # A client that polls would read all orders again.
    assert filled.run("SELECT max(updated_at) FROM orders") == times


def test_the_reconciliation_lists_the_payments_of_an_earlier_release(filled: Connection) -> None:
    migrate(filled)
    listed = filled.run(
        "SELECT right(order_id::text, 2)::integer, kind FROM reconciliation"
        " WHERE kind <> 'pending_too_long' ORDER BY 1, 2"
    )
    assert [(number, kind) for number, kind in listed] == [
        (0, "event_without_order"),
        (2, "paid_twice"),
        (4, "paid_and_canceled"),
        (5, "amount_mismatch"),
        (5, "held_too_long"),
        (6, "amount_mismatch"),
        (6, "held_too_long"),
        (7, "paid_after_completion"),
        (8, "conflicting_event"),
    ]


def test_a_reference_is_known_after_its_body_was_erased(filled: Connection, tmp_path: Path) -> None:
    migrate(filled, until("0013", tmp_path / "before"))
    filled.run("UPDATE payment_events SET body = NULL, body_is_base64 = NULL")
    migrate(filled)
    expect_complete(filled)


def test_an_upgrade_that_was_interrupted_continues_with_the_next_payment(filled: Connection, tmp_path: Path) -> None:
    interrupt(filled, tmp_path)
    for _ in range(3):
        filled.run((PACKAGE / "migrations" / BACKFILL).read_text().replace("LIMIT 200", "LIMIT 30"))
    seen = "SELECT count(*) FROM payment_events e, payment_completion c WHERE e.received_at <= c.received_at"
    assert filled.run(seen) == [[90]]
    assert 80 <= filled.run("SELECT count(*) FROM payments")[0][0] <= 90
    assert migrate(filled)[:2] == [BACKFILL, "0015_money_indexes.sql"]
    expect_complete(filled)


def test_requests_find_the_payments_that_an_upgrade_has_not_added_yet(filled: Connection, tmp_path: Path) -> None:
    interrupt(filled, tmp_path)
    assert filled.run("SELECT count(*) FROM payments") == [[0]]
    assert refund(order(1), amount="0.01").run(filled) == "created"
    assert change_status(order(5), "canceled", refund=True).run(filled) == "changed"
    returned = report_refund("evt_refund", "succeeded", "0.01", scheme="stripe", payment_reference=f"pi_{order(3)}")
    assert returned.run(filled) == "applied"
    again = report("evt_third", order_id=order(2), payment_status="paid", payment_reference="pi_third")
    assert again.run(filled) == "needs_refund"
    migrate(filled)
    paid_again = {2: [*PAYMENTS[2], ("pi_third", "", "all", "paid_twice")]}
    assert {number: payments(filled, number) for number in PAYMENTS} == PAYMENTS | paid_again
    assert violations(filled) == []


def test_payments_that_a_rolled_back_release_received_are_added_by_the_next_deployment(filled: Connection) -> None:
    migrate(filled)
    filled.run((RELEASE / "record_payment_event.sql").read_text())
    fields = {"scheme": "stripe", "provider": "stripe", "amount": "1.00", "currency": "USD"}
    assert report("evt_100", order_id=order(100), payment_status="paid", **fields).run(filled) == "needs_review"
    del fields["amount"]
    assert report("evt_9", order_id=order(9), payment_status="paid", **fields).run(filled) == "applied"
    assert payments(filled, 9) == []
    filled.run("DELETE FROM schema_history WHERE name = 'payments/record_payment_event.sql'")
    assert migrate(filled) == ["payments/record_payment_event.sql"]
    assert payments(filled, 9) == [("evt_9", "stripe", "all", None)]
    assert payments(filled, 100) == [("evt_100", "stripe", "1", "amount_differs")]
    assert violations(filled) == []
    assert migrate(filled) == []
