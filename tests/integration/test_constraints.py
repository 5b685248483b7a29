"""PostgreSQL refuses invalid rows, even if the code does not check them."""

import re

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection
from pydantic import TypeAdapter

from storefront.texts import ShortText
from tests.api_client import ApiClient, expect
from tests.characters import CHARACTERS, CODE_POINTS

CHECK_VIOLATION = "23514"

MOVEMENT = (
    "INSERT INTO stock_movements (product_id, actor, kind, delta, order_id, reason)"
    " SELECT p.id, 'test', {} FROM products p, orders o"
)
EVENT = (
    "INSERT INTO order_events (order_id, actor, to_status, to_payment_status, cause, from_status, from_payment_status)"
    " SELECT o.id, 'test', 'pending', 'unpaid', {} FROM orders o"
)
NOTE = (
    "INSERT INTO order_events (order_id, actor, cause, from_status, from_payment_status, to_status, to_payment_status,"
    " note) SELECT o.id, 'test', 'note', 'pending', 'unpaid', 'pending', 'unpaid', {} FROM orders o"
)
INBOX = (
    "INSERT INTO payment_events (scheme, provider, event_id, body, payment_status, variant, outcome, reason)"
    " VALUES ('stripe', 'stripe', 'evt_1', '', {})"
)

LINE = (
    "INSERT INTO refund_lines (refund_id, order_item_id, restock, quantity)"
    " SELECT r.id, i.id, true, {} FROM refunds r, order_items i"
)
ACKNOWLEDGEMENT = (
    "INSERT INTO acknowledgements (kind, entry_id, money_changes, actor, note)"
    " VALUES ('paid_twice', gen_random_uuid(), 0, 'test', {})"
)
PAYMENT = "INSERT INTO payments (order_id, reference, amount) SELECT o.id, 'pi_2', {} FROM orders o"

TAX = '{"kind": "tax", "label": "VAT", "amount": "1.00"}'

REFUSED = {
    "product_name_length": ["UPDATE products SET name = ''", "UPDATE products SET name = repeat('a', 256)"],
    "product_name_not_blank": [
        "UPDATE products SET name = ' '",
        "UPDATE products SET name = U&'\\200B\\2800\\3164\\00AD'",
    ],
    "product_description_length": ["UPDATE products SET description = repeat('a', 10001)"],
    "price_positive": [
        "UPDATE products SET price = 0",
        "UPDATE order_items SET price_at_purchase = -1",
        "INSERT INTO products (name, price, quantity) VALUES ('Tea', 0.001, 1)",
    ],
    "stock_quantity_not_negative": [
        "UPDATE products SET quantity = quantity - 100",
        "INSERT INTO products (name, price, quantity) VALUES ('Tea', 1, -1)",
    ],
    "positive_integer_positive": [
        "UPDATE orders SET customer_id = 0",
        "UPDATE order_items SET quantity = 0",
        LINE.format("0"),
    ],
    "order_total_range": [
        f"UPDATE orders SET total_price = {total}" for total in ("-0.01", "100000000.00", "1", "1.5", "1.500")
    ],
    "code_length": [
        f"UPDATE {column} = {text}"
        for column in ("products SET sku", "orders SET reference", "order_items SET sku")
        for text in ("''", "repeat('a', 65)")
    ],
    "email_address_length": ["UPDATE orders SET email = 'a@'", "UPDATE orders SET email = repeat('é', 128)"],
    "note_length": [
        statement.format(text)
        for statement in ("UPDATE orders SET note = {}", NOTE, "UPDATE refunds SET reason = {}", ACKNOWLEDGEMENT)
        for text in ("''", "repeat('a', 1001)")
    ],
    "currency_code_form": ["UPDATE orders SET currency = 'usd'", "UPDATE orders SET currency = 'EURO'"],
    "json_map_type": [
        f"UPDATE {column} = '[]'"
        for column in (
            "products SET metadata",
            "orders SET metadata",
            "orders SET shipping_address",
            "orders SET billing_address",
        )
    ],
    "charges_form": [
        f"UPDATE orders SET charges = '{charges}'"
        for charges in (
            "{}",
            "[]",
            "[1]",
            "[{}]",
            f"[{', '.join([TAX] * 21)}]",
            '[{"kind": "tip", "label": "Tip", "amount": "1.00"}]',
            '[{"kind": "tax", "label": "", "amount": "1.00"}]',
            '[{"kind": "tax", "amount": "1.00"}]',
            '[{"kind": "tax", "label": "VAT"}]',
            '[{"kind": "tax", "label": "VAT", "amount": "1.0"}]',
            '[{"kind": "tax", "label": "VAT", "amount": "-1.00"}]',
            '[{"kind": "shipping", "label": "Parcel", "amount": "-1.00"}]',
            '[{"kind": "fee", "label": "Gift wrap", "amount": "-1.00"}]',
            '[{"kind": "discount", "label": "Coupon", "amount": "1.00"}]',
        )
    ],
    "stock_movements_fit_together": [
        MOVEMENT.format(values)
        for values in (
            "'opening', -1, NULL, NULL",
            "'opening', 1, o.id, NULL",
            "'opening', 1, NULL, 'counted'",
            "'sale', 0, o.id, NULL",
            "'sale', -1, NULL, NULL",
            "'sale', -1, o.id, 'counted'",
            "'restock', 0, o.id, NULL",
            "'restock', 1, NULL, NULL",
            "'restock', 1, o.id, 'counted'",
            "'adjustment', 0, NULL, 'counted'",
            "'adjustment', 1, o.id, 'counted'",
            "'adjustment', 1, NULL, NULL",
            "'return', 0, NULL, NULL",
            "'return', 1, o.id, NULL",
            "'return', 1, NULL, 'counted'",
        )
    ],
    "positive_amount_positive": [
        PAYMENT.format("0"),
        PAYMENT.format("-0.01"),
        *(f"UPDATE {table} SET amount = {amount}" for table in ("payments", "refunds") for amount in ("0", "-1")),
    ],
}
"""Statements that violate each constraint."""


@pytest.fixture
def rows(api: ApiClient, database: Connection) -> Connection:
    """A session on a database with one product and one order for it, which is paid, and a refund of it."""
    order_id = api.order((api.create_product()["id"], 1))["id"]
    expect(200, api.pay(order_id))
    expect(201, api.call("POST", f"/api/orders/{order_id}/refunds", {}))
    return database


@pytest.mark.parametrize(
    ("constraint", "statement"), [(name, statement) for name, statements in REFUSED.items() for statement in statements]
)
def test_a_row_that_violates_a_constraint_is_refused(rows: Connection, constraint: str, statement: str) -> None:
    with pytest.raises(DatabaseError) as refused:
        rows.run(statement)
    assert (refused.value.args[0]["C"], refused.value.args[0]["n"]) == (CHECK_VIOLATION, constraint)


def test_every_constraint_has_a_test(database: Connection) -> None:
    found = database.run(
        "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
    )
    assert {name for [name] in found} == set(REFUSED)


def test_the_database_and_the_api_agree_on_which_names_look_blank(database: Connection) -> None:
    [[check]] = database.run(
        "SELECT pg_get_expr(conbin, 0) FROM pg_constraint WHERE conname = 'product_name_not_blank'"
    )
    accepted = database.run(
        "SELECT one FROM (SELECT chr(generate_series(first, last)) FROM unnest(CAST(:first AS integer[]),"
        f" CAST(:last AS integer[])) planes (first, last)) characters (one) WHERE {check.replace('VALUE', 'one')}",
        first=[first for first, _ in CODE_POINTS],
        last=[last for _, last in CODE_POINTS],
    )
    pattern = TypeAdapter(ShortText).json_schema()["pattern"]
    assert {one for [one] in accepted} == {one for one in CHARACTERS if re.search(pattern, one)}


def test_a_valid_row_is_accepted(rows: Connection) -> None:
    for values in (
        "'opening', 0, NULL, NULL",
        "'restock', 1, o.id, NULL",
        "'adjustment', -1, NULL, 'counted'",
        "'return', 1, NULL, NULL",
    ):
        rows.run(MOVEMENT.format(values))
    rows.run(EVENT.format("'status_change', 'pending', 'unpaid'"))
    rows.run(PAYMENT.format("0.01"))
    rows.run(LINE.format("1"))
    rows.run(INBOX.format("NULL, 0, 'ignored', 'type_not_ours'"))
    rows.run(f"UPDATE orders SET total_price = 0.00, charges = '[{', '.join([TAX] * 20)}]'")
