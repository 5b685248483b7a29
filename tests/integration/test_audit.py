"""The audit reports every row that contradicts another one, and no other row."""

import shutil
import subprocess
from typing import Any

import pytest
from pg8000.native import Connection

from storefront import audit
from storefront.audit import violations
from tests.api_client import ApiClient, expect, lambda_context, load_function
from tests.integration.test_audit_money import MONEY_RULES

PLACED = """
    INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status, idempotency_key, occurred_at)
    SELECT id, 'placed', 'anonymous', 'pending', 'unpaid', 'k', now() + interval '{}' FROM orders"""

MOVED = """
    INSERT INTO order_events (order_id, actor, cause, from_status, from_payment_status, to_status, to_payment_status,
                              outcome, received_payment_status)
    SELECT id, 'x', {} FROM orders"""

RESTOCKED = """
    INSERT INTO stock_movements (product_id, kind, delta, order_id, actor)
    SELECT product_id, 'restock', quantity, order_id, 'x' FROM order_items"""

ADJUSTED = """
    INSERT INTO stock_movements (product_id, kind, delta, reason, actor)
    SELECT id, 'adjustment', 1, 'x', 'x' FROM products"""

SECOND_CONTENT = """
    INSERT INTO payment_events (id, scheme, provider, event_id, variant, payment_status, order_id, body, outcome)
    SELECT order_id, scheme, provider, event_id, 1, 'paid', order_id, body, outcome FROM payment_events"""

ONLY_SECOND_BODY = """
    UPDATE payment_events
       SET body = CASE variant WHEN 1 THEN body END, order_id = CASE variant WHEN 0 THEN order_id END"""

SECOND_ORDER = """
    INSERT INTO orders (id, number, customer_id, total_price)
    SELECT product_id, number, 1, total_price FROM orders, order_items"""

ERASED = """
    UPDATE orders SET personal_data_erased_at = now(), email = NULL;
    INSERT INTO order_events (order_id, actor, cause, note, from_status, from_payment_status,
                              to_status, to_payment_status)
    SELECT o.id, 'x', entry.cause::order_event_cause, entry.note, 'pending', 'failed', 'pending', 'failed'
      FROM orders o, (VALUES ('note', {}), ('erasure', NULL)) entry (cause, note)"""

RULES = {
    "a product's stock is the sum of its movements": [
        "UPDATE products SET quantity = quantity + 1",
        "DELETE FROM stock_movements WHERE kind = 'opening'",
        ADJUSTED,
        "DELETE FROM products",
    ],
    "a stock movement has the sum of the movements up to it": [
        "UPDATE stock_movements SET quantity = quantity + 1",
        "UPDATE stock_movements SET delta = delta * 2 WHERE kind = 'opening'",
        "DELETE FROM stock_movements WHERE kind = 'opening'",
    ],
    "a product's stock is not negative": ["UPDATE products SET quantity = -1"],
    "an order's total is the sum of its line items and its charges": [
        "UPDATE orders SET total_price = total_price + 0.01",
        "UPDATE orders SET charges = NULL",
        """UPDATE orders SET charges = charges || '[{"kind": "fee", "label": "x", "amount": "0.01"}]'""",
        "DELETE FROM order_items",
        "DELETE FROM orders",
    ],
    "each order has a number, and no other order has it": ["UPDATE orders SET number = NULL", SECOND_ORDER],
    "an order is paid when it is placed if its total is 0, and no other order is": [
        "UPDATE order_events SET to_payment_status = 'paid' WHERE cause = 'placed'",
        "UPDATE orders SET total_price = 0.00",
    ],
    "an order took the stock of its line items once": [
        "DELETE FROM stock_movements WHERE kind = 'sale'",
        "UPDATE order_items SET quantity = quantity + 1",
        "UPDATE stock_movements SET delta = delta * 2 WHERE kind = 'sale'",
    ],
    "a canceled order gave back once what refunds did not return, and no other order did": [
        "UPDATE orders SET status = 'canceled'",
        RESTOCKED,
    ],
    "the timeline of a canceled and paid order contains needs_refund": [
        "UPDATE orders SET status = 'canceled', payment_status = 'paid'"
    ],
    "each order has a timeline": ["DELETE FROM order_events"],
    "each event starts in the state in which the previous event ended": [
        "UPDATE order_events SET from_status = 'pending', from_payment_status = 'unpaid'",
        PLACED.format("1 hour"),
        MOVED.format("'status_change', 'pending', 'paid', 'pending', 'unpaid', NULL, NULL"),
    ],
    "a timeline ends in the current state of its order": [
        "UPDATE orders SET status = 'completed'",
        "UPDATE orders SET payment_status = 'paid'",
        "UPDATE order_events SET to_status = 'completed'",
        "DELETE FROM orders",
    ],
    "an idempotency key places one order": [PLACED.format("71 hours"), PLACED.format("1 second")],
    "the response of an idempotency key is the order that the key placed": [
        "DELETE FROM order_events",
        "UPDATE idempotency_keys SET body = 'no JSON'",
        "UPDATE order_events SET idempotency_key = 'other'",
    ],
    "each event changes only what its cause allows": [
        "UPDATE order_events SET to_payment_status = 'paid'",
        "UPDATE order_events SET to_status = 'completed'",
        "UPDATE order_events SET cause = 'expiry'",
        "UPDATE order_events SET from_status = 'pending', from_payment_status = 'unpaid'",
        "UPDATE order_events SET inbox_id = NULL WHERE cause = 'payment_event'",
        MOVED.format("'status_change', NULL, NULL, 'completed', 'unpaid', NULL, NULL"),
        MOVED.format("'status_change', 'pending', NULL, 'completed', 'unpaid', NULL, NULL"),
        MOVED.format("'note', 'pending', 'failed', 'completed', 'failed', NULL, NULL"),
        MOVED.format("'erasure', 'pending', 'failed', 'pending', 'paid', NULL, NULL"),
        MOVED.format("'status_change', 'completed', 'unpaid', 'canceled', 'unpaid', NULL, NULL"),
        MOVED.format("'status_change', 'pending', 'unpaid', 'completed', 'paid', NULL, NULL"),
        MOVED.format("'expiry', 'pending', 'paid', 'canceled', 'paid', NULL, NULL"),
        MOVED.format("'payment_event', 'pending', 'paid', 'pending', 'failed', 'applied', 'failed'"),
        MOVED.format("'payment_event', 'pending', 'unpaid', 'pending', 'paid', 'applied', 'failed'"),
        MOVED.format("'payment_event', 'pending', 'unpaid', 'pending', 'paid', 'duplicate', 'paid'"),
        MOVED.format("'payment_event', 'canceled', 'unpaid', 'canceled', 'paid', 'applied', 'paid'"),
        MOVED.format("'payment_event', 'pending', 'unpaid', 'pending', 'paid', 'applied', NULL"),
        MOVED.format("'refund', 'pending', 'unpaid', 'pending', 'paid', NULL, NULL"),
        MOVED.format("'acknowledgement', 'pending', 'unpaid', 'canceled', 'unpaid', NULL, NULL"),
        MOVED.format("'replay', 'pending', 'unpaid', 'pending', 'paid', 'applied', 'failed'"),
        MOVED.format("'replay', 'pending', 'unpaid', 'completed', 'paid', 'applied', 'paid'"),
    ],
    "an applied payment event was applied once, and no other event was": [
        "UPDATE payment_events SET outcome = 'ignored', reason = 'order_paid'",
        "DELETE FROM order_events",
        "UPDATE order_events SET outcome = 'duplicate', reason = 'same_status' WHERE outcome = 'applied'",
        "UPDATE order_events SET inbox_id = NULL",
        """INSERT INTO order_events (order_id, actor, cause, from_status, from_payment_status, to_status,
                                     to_payment_status, outcome, received_payment_status, inbox_id)
           SELECT order_id, 'x', 'replay', 'pending', 'failed', 'pending', 'failed', 'applied', 'failed', id
             FROM payment_events""",
    ],
    "a payment event is in the timeline of its order, with its outcome": [
        "DELETE FROM order_events WHERE cause = 'payment_event'",
        "UPDATE order_events SET received_payment_status = 'paid' WHERE cause = 'payment_event'",
        "UPDATE order_events SET order_id = gen_random_uuid() WHERE cause = 'payment_event'",
        "UPDATE payment_events SET payment_status = 'paid'",
        "UPDATE payment_events SET attempts = 0",
        "UPDATE payment_events SET outcome = 'needs_review', reason = 'amount_differs'",
        "UPDATE order_events SET outcome = 'needs_review', reason = 'amount_differs' WHERE cause = 'payment_event'",
    ],
    "at most one content under an event ID reports a payment": [SECOND_CONTENT],
    "an unreadable payment event has an error, and no other event does": [
        "UPDATE payment_events SET error = 'x'",
        "UPDATE payment_events SET outcome = 'unreadable', reason = 'invalid'",
    ],
    "an unpaid pending order is held while its payment events say so": [
        "UPDATE orders SET held_since = now()",
        "UPDATE payment_events SET outcome = 'ignored', reason = 'payment_under_way', payment_status = NULL",
    ],
    "each payment event has a status other than unpaid, and a reason if it was not applied": [
        "UPDATE payment_events SET payment_status = 'unpaid'",
        "UPDATE payment_events SET reason = 'order_paid'",
        "UPDATE payment_events SET outcome = 'ignored'",
    ],
    "a payment event in a timeline is in the inbox": ["DELETE FROM payment_events"],
    "an order has no contact details, note and metadata after its erasure": [
        f"UPDATE orders SET personal_data_erased_at = now(), {column} = {value}"
        for column, value in (
            ("email", "'ada@example.com'"),
            ("shipping_address", "'{}'"),
            ("billing_address", "'{}'"),
            ("note", "'x'"),
            ("metadata", "'{}'"),
        )
    ],
    "a note has no text after the erasure of its order": [ERASED.format("'x'")],
    "a payment event has no body after the erasure of its order": [
        ERASED.format("NULL"),
        f"{ERASED.format('NULL')}; {SECOND_CONTENT}; {ONLY_SECOND_BODY}",
    ],
    "only a note and an acknowledgement have a text": [
        "UPDATE order_events SET note = 'x' WHERE cause = 'placed'",
        "UPDATE order_events SET note = 'Rang twice.'",
    ],
    "a stored response has no personal data after the erasure of its order": [
        f"{ERASED.format('NULL')}; UPDATE idempotency_keys SET body = replace(body, '\"email\" : null', '{value}')"
        for value in ('"email" : "ada@example.com"', '"email" : {}')
    ],
}


@pytest.fixture
def order(api: ApiClient) -> dict[str, Any]:
    """The only order in the shop, placed with the key k. It has two charges."""
    tea = api.create_product(quantity=5)
    shipping = {"kind": "shipping", "label": "Parcel", "amount": "4.90"}
    discount = {"kind": "discount", "label": "Voucher", "amount": "-0.40"}
    body = {
        "customer_id": 1,
        "products": [{"product_id": tea["id"], "quantity": 2}],
        "charges": [shipping, discount],
    }
    order: dict[str, Any] = expect(201, api.call("POST", "/api/orders", body, {"Idempotency-Key": "k"}))
    return order


@pytest.fixture
def payment_event_id(api: ApiClient, order: dict[str, Any]) -> str:
    """The inbox ID of the only payment event, which was applied to the order."""
    expect(200, api.pay(order["id"], "failed"))
    return str(api.get("/api/payment-events").json["items"][0]["id"])


def corrupt(database: Connection, statement: str) -> None:
    """Make a change that the database would refuse."""
    database.run("ALTER DOMAIN stock_quantity DROP CONSTRAINT stock_quantity_not_negative")
    database.run("DROP INDEX orders_by_number")
    database.run("ALTER TABLE orders ALTER number DROP NOT NULL")
    # This disables triggers and foreign keys.
    database.run("SET session_replication_role = replica")
    database.run(statement)
    database.run("SET session_replication_role = origin")


@pytest.mark.parametrize(
    ("rule", "statement"), [(rule, statement) for rule, statements in RULES.items() for statement in statements]
)
def test_a_violation_is_reported_with_its_row(
    database: Connection, order: dict[str, Any], payment_event_id: str, rule: str, statement: str
) -> None:
    assert violations(database) == []
    corrupt(database, statement)
    found = [violation for violation in violations(database) if violation.rule == rule]
    ids = {order["id"], order["order_items"][0]["product_id"], payment_event_id}
    assert found != []
    assert all(violation.id in ids or "key of 20" in violation.detail for violation in found)


@pytest.mark.usefixtures("order")
def test_every_audit_rule_has_a_test(database: Connection) -> None:
    sql = audit.AUDIT.read_text()
    rules = {**RULES, **MONEY_RULES}
    assert all(f"'{rule.replace(chr(39), chr(39) * 2)}'" in sql for rule in rules)
    assert sql.count("UNION ALL") == len(rules) - 1
    assert violations(database) == []


@pytest.mark.usefixtures("order")
def test_a_key_may_place_another_order_after_it_expired(database: Connection) -> None:
    corrupt(database, PLACED.format("73 hours"))
    assert "an idempotency key places one order" not in {violation.rule for violation in violations(database)}


@pytest.mark.usefixtures("order")
def test_a_wrong_sale_violates_three_rules(database: Connection, api: ApiClient) -> None:
    api.create_product(name="unconcerned")
    corrupt(database, "UPDATE stock_movements SET delta = -3 WHERE kind = 'sale'")
    assert [(one.rule, one.detail.split(": ")[-1]) for one in violations(database)] == [
        ("a product's stock is the sum of its movements", "stock 3, sum of movements 2"),
        ("a stock movement has the sum of the movements up to it", "quantity 3, sum of movements 2"),
        ("an order took the stock of its line items once", "ordered 2, taken 3"),
    ]


@pytest.mark.usefixtures("order")
def test_the_audit_may_take_longer_than_a_request(database: Connection) -> None:
    name = database.run("SELECT quote_ident(current_database())")[0][0]
    database.run(f"ALTER DATABASE {name} SET statement_timeout = 10")
    database.run("SET statement_timeout = 10")
    assert violations(database) == []


@pytest.mark.usefixtures("order")
def test_the_scheduled_function_logs_each_violation_and_counts_them(
    database: Connection, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert load_function("audit").lambda_handler({}, lambda_context()) == {"violations": 0, "webhook_age": 0}
    assert '"AuditViolations":[0.0]' in capsys.readouterr().out.replace(" ", "")
    corrupt(database, "UPDATE products SET quantity = 4")
    assert load_function("audit").lambda_handler({}, lambda_context()) == {"violations": 1, "webhook_age": 0}
    assert '"AuditViolations":[1.0]' in capsys.readouterr().out.replace(" ", "")
    [logged] = [vars(record) for record in caplog.records if record.levelname == "ERROR"]
    assert (logged["rule"], logged["detail"]) == (
        "a product's stock is the sum of its movements",
        "stock 4, sum of movements 3",
    )


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
@pytest.mark.usefixtures("order")
def test_the_audit_file_runs_in_psql(database_url: str) -> None:
    command = ["psql", "-X", "-v", "ON_ERROR_STOP=1", database_url, "-f", str(audit.AUDIT)]
    result = subprocess.run(command, capture_output=True, text=True, check=True)
    assert "(0 rows)" in result.stdout
