"""The audit reports every payment, refund, dispute and acknowledgement that contradicts another row."""

import pytest
from pg8000.native import Connection

from storefront.audit import violations
from tests.api_client import ApiClient, expect
from tests.handlers.inbox import RECONCILIATION
from tests.handlers.refunds import Order, dispute, line, paid_order, pay_again, payments, refund_event

ERASED = """
    UPDATE orders SET personal_data_erased_at = {};
    INSERT INTO order_events (order_id, actor, cause, from_status, from_payment_status, to_status, to_payment_status)
    SELECT id, 'x', 'erasure', 'pending', 'paid', 'pending', 'paid' FROM orders"""

MONEY_RULES = {
    "an order gives back no more units than it sold": [
        "UPDATE refund_lines SET quantity = 4",
        """INSERT INTO stock_movements (product_id, kind, delta, order_id, actor)
           SELECT product_id, 'restock', 3, order_id, 'x' FROM order_items""",
    ],
    "the units of a refund returned to the stock once": [
        "DELETE FROM stock_movements WHERE kind = 'return'",
        "UPDATE stock_movements SET delta = 2 WHERE kind = 'return'",
        "UPDATE stock_movements SET refund_id = gen_random_uuid() WHERE kind = 'return'",
        "UPDATE refund_lines SET restock = false",
        "DELETE FROM refund_lines",
    ],
    "a refund is for line items of its order, and for no more units than they have": [
        "UPDATE refund_lines SET quantity = 4",
        "UPDATE refund_lines SET order_item_id = gen_random_uuid()",
        "UPDATE refund_lines SET refund_id = gen_random_uuid()",
    ],
    "a payment belongs to an order, and to one event that reported its amount": [
        "UPDATE payments SET id = gen_random_uuid()",
        "UPDATE payments SET order_id = gen_random_uuid()",
        "UPDATE payments SET reference = reference || 'x'",
        "UPDATE payments SET amount = amount + 1",
        "UPDATE payments SET currency = 'EUR'",
        "UPDATE payment_events SET payment_status = 'failed'",
        "DELETE FROM orders",
    ],
    "received money has a payment": ["DELETE FROM payments WHERE reason = 'paid_twice'"],
    "a paid order with a total has a payment": ["DELETE FROM payments"],
    "a refund belongs to a payment of its order, and has its currency": [
        "UPDATE refunds SET order_id = gen_random_uuid()",
        "UPDATE refunds SET payment_id = gen_random_uuid()",
        "UPDATE refunds SET currency = 'EUR'",
        "DELETE FROM payments",
    ],
    "a dispute belongs to a payment of its order": [
        "UPDATE disputes SET order_id = gen_random_uuid()",
        "UPDATE disputes SET payment_id = gen_random_uuid()",
    ],
    "a refund in a timeline exists, and belongs to the order": [
        "DELETE FROM refunds WHERE status = 'requested'",
        "DELETE FROM refunds WHERE status = 'succeeded'",
        "UPDATE order_events SET refund_id = NULL WHERE cause = 'refund'",
        "UPDATE refunds SET order_id = gen_random_uuid()",
    ],
    "a payment has the sums of its refunds and disputes": [
        *(
            f"UPDATE payments SET {column} = {column} + 1"
            for column in ("open_amount", "refunded_amount", "lost_amount", "known_refunds")
        ),
        "UPDATE refunds SET status = 'pending' WHERE status = 'requested'",
        "UPDATE refunds SET status = 'failed' WHERE status = 'succeeded'",
        "UPDATE refunds SET amount = amount + 1",
        "UPDATE disputes SET status = 'won'",
        "UPDATE disputes SET amount = NULL",
        "UPDATE disputes SET currency = 'EUR'",
    ],
    "a payment is settled while its money adds up": [
        "UPDATE payments SET is_settled = NOT is_settled",
        "UPDATE payments SET reported_refunds = 99",
        "UPDATE payments SET reason = NULL WHERE reason = 'paid_twice'",
        "UPDATE payments SET open_amount = 99 WHERE reason IS NULL",
    ],
    "a refund that failed is settled exactly if something made up for it": [
        "UPDATE refunds SET is_settled = false WHERE status = 'requested'",
        "UPDATE refunds SET status = 'failed' WHERE processor_reference = 're_1'",
    ],
    "an order has the sums of its payments, and the refund status that follows from its refunds": [
        *(f"UPDATE orders SET {column} = {column} + 1" for column in ("paid_amount", "refunded_amount", "lost_amount")),
        *(f"UPDATE orders SET refund_status = '{status}'" for status in ("none", "partial", "full")),
        "UPDATE refunds SET status = 'canceled' WHERE status = 'requested'",
        "UPDATE payments SET order_id = gen_random_uuid() WHERE reason IS NULL",
    ],
    "refunds exceed a payment only where the reconciliation lists it": [
        "UPDATE refunds SET amount = 99",
        "UPDATE disputes SET amount = 99",
    ],
    "an event waits only while its payment is unknown": [
        "UPDATE payment_events SET payment_reference = 'pi_again' WHERE reason = 'payment_unknown'",
        "UPDATE payments SET order_id = gen_random_uuid() WHERE reference = 'pi_unknown'",
        "UPDATE payment_events SET payment_reference = NULL WHERE reason = 'payment_unknown'",
    ],
    "an acknowledgement has a note, unless it was erased": [
        "UPDATE acknowledgements SET note = NULL",
        "UPDATE acknowledgements SET note = ' '",
        "UPDATE acknowledgements SET note = NULL;" + ERASED.format("now() - interval '1 day'"),
    ],
    "an acknowledgement is in the timeline of its order": [
        "DELETE FROM order_events WHERE cause = 'acknowledgement'",
        "DELETE FROM acknowledgements",
        "UPDATE acknowledgements SET kind = 'paid_and_canceled'",
    ],
    "a refund has no reason, and an acknowledgement no note, after the erasure of its order": [
        ERASED.format("now()") + "; UPDATE acknowledgements SET note = NULL",
        ERASED.format("now()") + "; UPDATE refunds SET reason = NULL",
    ],
    "a stored response has no personal data after the erasure of its order": [
        f"""{ERASED.format("now()")};
            DELETE FROM idempotency_keys WHERE operation <> '{operation}'"""
        for operation in ("request_refund", "acknowledge_mismatch")
    ],
}


@pytest.fixture
def order(api: ApiClient) -> Order:
    """The only order in the shop. It was paid twice, disputed and partly refunded, and its entry was acknowledged.

    Each unit costs 30.00. One unit returned to the stock. Of the second payment, 5.00 went back.
    """
    order = paid_order(api, price="30.00", units=3)
    pay_again(api, order, "pi_again")
    dispute(api, order, "lost", amount="10", currency="USD")
    [entry] = api.items(RECONCILIATION)
    acknowledgement = f"{RECONCILIATION}/{entry['kind']}/{entry['id']}/acknowledgement"
    key = {"idempotency-key": "k"}
    expect(201, api.call("POST", acknowledgement, {"note": "The customer wanted both."}, key))
    request = {
        "payment_id": payments(api, order)[0]["id"],
        "lines": [line(order, 1, restock=True)],
        "reason": "The customer sent it back.",
    }
    expect(201, api.call("POST", f"/api/orders/{order['id']}/refunds", request, key))
    refund_event(api, order, "succeeded", "re_1", "5", payment_reference="pi_again")
    refund_event(api, order, "succeeded", "re_2", "5", payment_reference="pi_unknown", order_id=order["id"])
    return order


def corrupt(database: Connection, statement: str) -> None:
    """Make a change that the database would refuse. This disables triggers and foreign keys."""
    database.run("SET session_replication_role = replica")
    database.run(statement)
    database.run("SET session_replication_role = origin")


@pytest.mark.parametrize(
    ("rule", "statement"), [(rule, statement) for rule, statements in MONEY_RULES.items() for statement in statements]
)
def test_a_violation_is_reported(database: Connection, order: Order, rule: str, statement: str) -> None:
    assert order
    assert violations(database) == []
    corrupt(database, statement)
    assert rule in {violation.rule for violation in violations(database)}


@pytest.mark.usefixtures("order")
def test_a_payment_of_an_earlier_release_is_no_violation(database: Connection) -> None:
    corrupt(
        database,
        """DELETE FROM payments; DELETE FROM refunds; DELETE FROM disputes; DELETE FROM refund_lines;
           DELETE FROM stock_movements WHERE kind = 'return'; UPDATE payment_events SET is_named = NULL;
           UPDATE orders SET (paid_amount, refunded_amount, lost_amount, refund_status) = (0, 0, 0, 'none');
           UPDATE products SET quantity = 0""",
    )
    assert {violation.rule for violation in violations(database)} == {
        "a refund in a timeline exists, and belongs to the order"
    }
