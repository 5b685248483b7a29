"""The functions' role may only read and write what the functions need."""

import re
from collections.abc import Iterator
from contextlib import closing

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection, identifier, literal

from local.settings import APP_ROLE, as_role
from storefront import db
from storefront.migrate import migrate
from tests.api_client import ROOT
from tests.integration.races import Call, place

GUIDE = ROOT / "docs" / "guides" / "security.md"
RELEASE = ROOT / "tests" / "fixtures" / "release_0_2_0"
DENIED = "42501"

PRIVILEGES = {
    "products": {"SELECT", "INSERT"},
    "orders": {"SELECT", "INSERT"},
    "payment_events": {"SELECT", "INSERT"},
    "payments": {"SELECT", "INSERT"},
    "refunds": {"SELECT", "INSERT"},
    "refund_lines": {"SELECT", "INSERT"},
    "disputes": {"SELECT", "INSERT"},
    "acknowledgements": {"SELECT", "INSERT"},
    "order_items": {"SELECT", "INSERT"},
    "order_events": {"SELECT", "INSERT"},
    "stock_movements": {"SELECT", "INSERT"},
    "ignored_events": {"SELECT", "INSERT"},
    "idempotency_keys": {"SELECT", "INSERT", "UPDATE", "DELETE"},
    "reconciliation": {"SELECT"},
    "payment_completion": set(),
    "schema_history": set(),
}

NEVER_CHANGED = {"products": {"id", "created_at", "quantity_bucket", "folded_name", "name_words"}}
"""The columns that the role may not update, in tables where all other columns may change."""

CHANGED = {
    "orders": {
        *("status", "payment_status", "held_since", "updated_at", "personal_data_erased_at"),
        *("paid_amount", "refunded_amount", "lost_amount", "refund_status", "money_changes"),
        *("email", "shipping_address", "billing_address", "note", "metadata"),
    },
    "order_events": {"note"},
    "payment_events": {
        *("provider", "type", "order_id", "payment_status", "amount", "currency", "occurred_at", "body"),
        *("livemode", "account", "payment_reference", "object_reference", "error", "body_is_base64"),
        *("outcome", "reason", "reader_reason", "attempts", "last_attempt_at", "body_is_cut"),
        *("is_named", "refund_id", "refund_status", "dispute_status"),
    },
    "payments": {
        *("id", "order_id", "amount", "currency", "reason", "received_at", "is_settled"),
        *("open_amount", "refunded_amount", "lost_amount", "known_refunds", "reported_refunds"),
    },
    "refunds": {"amount", "status", "reason", "processor_reference", "is_settled", "requested_at", "updated_at"},
    "disputes": {"status", "amount", "currency", "changed_at"},
    "acknowledgements": {"note"},
    "ignored_events": {"received"},
}
"""The columns that the role may update in other tables."""

REFUSED = [
    "CREATE TABLE t ()",
    "CREATE TEMPORARY TABLE t ()",
    "CREATE VIEW v AS SELECT 1",
    "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    "CREATE OR REPLACE FUNCTION rfc3339(moment timestamptz) RETURNS text LANGUAGE sql AS 'SELECT 1'",
    "CREATE SCHEMA s",
    "CREATE ROLE r",
    "CREATE DATABASE d",
    "ALTER TABLE products ADD COLUMN c integer",
    "ALTER TABLE order_events DISABLE TRIGGER ALL",
    "ALTER FUNCTION get_order(jsonb) RENAME TO g",
    "DROP TABLE products",
    "DROP FUNCTION get_order(jsonb)",
    "DROP INDEX orders_by_status",
    "TRUNCATE products",
    "CREATE INDEX i ON products (name)",
    "CREATE TRIGGER t BEFORE INSERT ON products FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "UPDATE order_events SET actor = 'somebody else'",
    "DELETE FROM order_events",
    "UPDATE stock_movements SET delta = 1",
    "DELETE FROM stock_movements",
    "DELETE FROM products",
    "DELETE FROM orders",
    "DELETE FROM payment_events",
    *(f"DELETE FROM {table}" for table in ("payments", "refunds", "refund_lines", "disputes", "acknowledgements")),
    "UPDATE payments SET reference = 'another'",
    "UPDATE refunds SET payment_id = gen_random_uuid()",
    "UPDATE refunds SET currency = 'EUR'",
    "UPDATE refund_lines SET quantity = 1",
    "UPDATE disputes SET reference = 'another'",
    "UPDATE acknowledgements SET actor = 'somebody else'",
    "UPDATE order_items SET quantity = 1",
    "UPDATE orders SET total_price = 0.01",
    "UPDATE orders SET customer_id = 666",
    "UPDATE payment_events SET event_id = 'another'",
    "SELECT setval('order_events_id_seq', 1)",
    "SELECT setval('order_numbers', 1)",
    "SELECT FROM schema_history",
    "UPDATE schema_history SET checksum = ''",
    "COPY products TO PROGRAM 'cat'",
    "SET ROLE postgres",
    "SELECT lo_create(0)",
    "SELECT lo_from_bytea(0, 'x')",
    "SELECT lo_put(0, 0, 'x')",
    "ALTER DATABASE {database} SET lock_timeout = 0",
    "ALTER SYSTEM SET fsync = off",
]


@pytest.fixture
def app(direct_url: str) -> Iterator[Connection]:
    """A session of the functions' role."""
    try:
        connection = db.connect(as_role(direct_url, APP_ROLE))
    except DatabaseError:
        pytest.skip("this server requires a password from the functions' role")
    with closing(connection):
        yield connection


@pytest.mark.parametrize("statement", REFUSED)
def test_the_functions_role_may_not_run(app: Connection, statement: str) -> None:
    [[database]] = app.run("SELECT current_database()")
    with pytest.raises(DatabaseError) as refused:
        app.run(statement.replace("{database}", identifier(database)))
    assert refused.value.args[0]["C"] == DENIED


def privileges(owner: Connection) -> dict[str, set[str]]:
    rows = owner.run(
        f"""SELECT c.relname, coalesce(array_agg(a.privilege_type) FILTER (WHERE a.privilege_type IS NOT NULL), '{{}}')
              FROM pg_class c
              LEFT JOIN LATERAL aclexplode(c.relacl) a ON a.grantee = {literal(APP_ROLE)}::regrole
             WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'm', 'p', 'f')
             GROUP BY c.relname"""
    )
    return {name: set(granted) for name, granted in rows}


def updatable_columns(owner: Connection) -> dict[str, set[str]]:
    rows = owner.run(
        f"""SELECT table_name, array_agg(column_name::text) FROM information_schema.column_privileges
             WHERE grantee = {literal(APP_ROLE)} AND privilege_type = 'UPDATE' AND table_name <> 'idempotency_keys'
             GROUP BY table_name"""
    )
    return {name: set(granted) for name, granted in rows}


def columns(owner: Connection, table: str) -> set[str]:
    rows = owner.run(f"SELECT column_name::text FROM information_schema.columns WHERE table_name = {literal(table)}")
    return {name for [name] in rows}


def test_each_table_has_the_listed_privileges(database: Connection) -> None:
    assert privileges(database) == PRIVILEGES
    updatable = updatable_columns(database)
    for table, never_changed in NEVER_CHANGED.items():
        assert columns(database, table) - updatable.pop(table) == never_changed
    assert updatable == CHANGED


def test_the_guide_says_what_an_injection_could_do(database: Connection) -> None:
    table = GUIDE.read_text().partition("<!-- begin privileges")[2].partition("<!-- end privileges")[0]
    rows = re.findall(r"^\| `(\w+)`[^|]* \| (\w+) \| (\w+) \| ([^|]+) \| (\w+) \|$", table, re.MULTILINE)
    stated = {
        name: {
            *({"SELECT"} if read == "yes" else set()),
            *({"INSERT"} if add == "yes" else set()),
            *({"DELETE"} if delete == "yes" else set()),
            *({"UPDATE"} if change != "nothing" else set()),
        }
        for name, read, add, change, delete in rows
    }
    updatable = updatable_columns(database)
    assert stated == {
        name: granted | ({"UPDATE"} if name in updatable else set())
        for name, granted in privileges(database).items()
        if granted
    }


def test_the_functions_role_has_no_special_attributes(database: Connection) -> None:
    powers = "rolsuper, rolcreatedb, rolcreaterole, rolreplication, rolbypassrls, rolcanlogin"
    found = database.run(f"SELECT {powers} FROM pg_roles WHERE rolname = {literal(APP_ROLE)}")
    assert found == [[False, False, False, False, False, True]]


def test_a_deployment_revokes_manual_grants(database: Connection) -> None:
    database.run(f"""
        GRANT ALL ON ALL TABLES IN SCHEMA public TO {APP_ROLE};
        GRANT ALL ON ALL TABLES IN SCHEMA public TO PUBLIC;
        GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {APP_ROLE};
        GRANT CREATE ON SCHEMA public TO {APP_ROLE};
    """)
    assert privileges(database) != PRIVILEGES
    assert migrate(database, app_role=APP_ROLE) == []
    assert privileges(database) == PRIVILEGES
    granted = f"""SELECT has_table_privilege({literal(APP_ROLE)}, 'schema_history', 'SELECT'),
                         has_sequence_privilege({literal(APP_ROLE)}, 'order_events_id_seq', 'UPDATE')"""
    assert database.run(granted) == [[False, False]]
    [[may_create]] = database.run(f"SELECT has_schema_privilege({literal(APP_ROLE)}, 'public', 'CREATE')")
    assert may_create is False


def test_orders_are_placed_after_a_rollback_and_after_the_next_upgrade(database: Connection, app: Connection) -> None:
    product = {"name": "Tea", "price": "4.50", "quantity": 9}
    assert Call("create_product", product).run(app) == "created"
    [[tea]] = database.run("SELECT id::text FROM products")
    # As the deployment of the previous release.
    names = {":app_role": APP_ROLE, ":database": identifier(database.run("SELECT current_database()")[0][0])}
    for file in ("order_json.sql", "place_order.sql", "grants.sql"):
        database.run(re.sub(":app_role|:database", lambda name: names[name[0]], (RELEASE / file).read_text()))
    assert place((tea, 1)).run(app) == "placed"
    database.run("DELETE FROM schema_history WHERE name IN ('orders/order_json.sql', 'orders/place_order.sql')")
    assert len(migrate(database, app_role=APP_ROLE)) == 2
    assert place((tea, 1), reference="A-1").run(app) == "placed"
    assert database.run("SELECT number, reference FROM orders ORDER BY number") == [[1001, None], [1002, "A-1"]]


def test_a_deployment_resets_the_settings_of_the_role(database: Connection, app: Connection) -> None:
    [[name]] = app.run("SELECT current_database()")
    app.run(f"ALTER ROLE {APP_ROLE} SET default_transaction_read_only = on")
    app.run(f"ALTER ROLE {APP_ROLE} IN DATABASE {identifier(name)} SET search_path = pg_catalog")
    migrate(database, app_role=APP_ROLE)
    assert database.run(f"SELECT FROM pg_db_role_setting WHERE setrole = {literal(APP_ROLE)}::regrole") == []
