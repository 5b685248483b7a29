"""The schema is brought up to date once, whole, and never behind anyone's back."""

import json
import shutil
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pg8000.native import Connection, identifier

from storefront import db
from storefront.audit import violations
from storefront.migrate import PACKAGE, MigrationError, migrate
from tests.api_client import UNKNOWN, ApiClient, expect, lambda_context, load_function
from tests.integration.races import pay


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the layer's SQL that a test may change."""
    copy = tmp_path / "storefront"
    shutil.copytree(PACKAGE, copy, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return copy


def up_to(last: str, folder: Path) -> Path:
    """A package of the migrations up to one of them, and of nothing else."""
    (folder / "migrations").mkdir(parents=True)
    for path in (PACKAGE / "migrations").glob("*.sql"):
        if path.name <= last:
            shutil.copy(path, folder / "migrations")
    return folder


def test_the_function_applies_everything_and_then_nothing(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    handler = load_function("migrate").lambda_handler
    applied = handler({}, lambda_context())["applied"]
    assert applied[0] == "0001_shop.sql"
    assert {file.name for file in PACKAGE.glob("*/*.sql")} == {Path(name).name for name in applied}
    assert handler({}, lambda_context()) == {"applied": []}


def test_an_applied_migration_that_was_changed_is_refused(database: Connection, package: Path) -> None:
    migration = package / "migrations" / "0001_shop.sql"
    migration.write_text(migration.read_text() + "-- changed")
    with pytest.raises(MigrationError, match=r"0001_shop\.sql was changed"):
        migrate(database, package)


def test_a_function_is_applied_again_where_its_text_changed(database: Connection, package: Path) -> None:
    function = package / "products" / "get_product.sql"
    function.write_text(function.read_text().replace("unknown_product", "unheard_of"))
    assert migrate(database, package) == ["products/get_product.sql"]
    assert database.run("SELECT outcome FROM get_product('{}')") == [["unheard_of"]]
    assert migrate(database, package) == []


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE products ALTER name TYPE varchar(300)",
        "ALTER TABLE products ALTER price TYPE numeric(12, 2)",
        "ALTER TABLE orders ALTER customer_id TYPE bigint",
    ],
)
def test_a_session_from_before_a_migration_plans_anew_after_it(
    api: ApiClient, database: Connection, package: Path, change: str
) -> None:
    api.order((api.create_product()["id"], 1))
    paths = ("/api/products", "/api/orders")
    # As often as it takes PostgreSQL to keep a plan.
    for path in paths * 8:
        expect(200, api.get(path))
    (package / "migrations" / "9999_type.sql").write_text(change)
    assert migrate(database, package) == ["9999_type.sql"]
    for path in paths:
        expect(200, api.get(path))


def test_a_migration_that_fails_leaves_everything_as_it_was(database: Connection, package: Path) -> None:
    (package / "migrations" / "0002_good.sql").write_text("CREATE TABLE good ();")
    (package / "migrations" / "0003_bad.sql").write_text("CREATE TABLE half (); SELECT 1 / 0;")
    with pytest.raises(MigrationError, match=r"0003_bad\.sql failed: division by zero"):
        migrate(database, package)
    assert database.run("SELECT to_regclass('good'), to_regclass('half')") == [[None, None]]
    (package / "migrations" / "0003_bad.sql").write_text("CREATE TABLE half ();")
    assert migrate(database, package) == ["0002_good.sql", "0003_bad.sql"]


def test_a_migration_that_fails_quotes_no_row(database: Connection, package: Path) -> None:
    # Its error is in the log and in CloudFormation's events.
    (package / "migrations" / "0002_bad.sql").write_text(
        "INSERT INTO products (name, price, quantity) VALUES ('jane@example.org', 1, -1);"
    )
    with pytest.raises(MigrationError, match="check constraint") as failed:
        migrate(database, package)
    assert "jane" not in "".join(traceback.format_exception(failed.value))


def test_a_migration_that_waits_for_a_table_gives_up(database: Connection, direct_url: str, package: Path) -> None:
    (package / "migrations" / "0002_wait.sql").write_text(
        "SET LOCAL lock_timeout = '100ms'; ALTER TABLE products ADD COLUMN colour text;"
    )
    database.run("BEGIN")
    database.run("LOCK TABLE products IN ACCESS SHARE MODE")
    with (
        closing(db.connect(direct_url)) as other,
        pytest.raises(MigrationError, match=r"0002_wait\.sql failed: .*lock timeout"),
    ):
        migrate(other, package)


def test_a_migration_runs_under_a_lock_timeout(database: Connection, package: Path) -> None:
    (package / "migrations" / "0002_show.sql").write_text(
        "CREATE TABLE seen AS SELECT current_setting('lock_timeout') AS lock_timeout;"
    )
    migrate(database, package)
    assert database.run("SELECT lock_timeout FROM seen") == [["5s"]]


def test_a_migration_may_take_longer_than_any_request(
    empty_database_url: str, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "migrations" / "0002_slow.sql").write_text("SELECT pg_sleep(0.5);")
    function = load_function("migrate")
    monkeypatch.setattr(db, "ANSWER_TIMEOUT", 0.1)
    monkeypatch.setattr(db.connect, "__defaults__", (0.1,))
    monkeypatch.setattr(function, "migrate", lambda connection, **_: migrate(connection, package))
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    assert "0002_slow.sql" in function.lambda_handler({}, lambda_context())["applied"]


def test_a_database_that_has_yet_to_wake_up_is_waited_for(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    function = load_function("migrate")
    refusals = [ConnectionRefusedError(), TimeoutError()]

    def connect(*arguments: Any) -> Connection:
        if refusals:
            raise refusals.pop()
        return db.connect(*arguments)

    monkeypatch.setattr(function, "connect", connect)
    monkeypatch.setattr(function.time, "sleep", lambda _: None)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    assert function.lambda_handler({}, lambda_context())["applied"]


def test_a_database_that_does_not_wake_up_is_given_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_function("migrate"), "PATIENCE", 0)
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x?sslmode=disable")
    with pytest.raises(ConnectionRefusedError):
        load_function("migrate").lambda_handler({}, lambda_context())


def test_a_migration_whose_session_was_ended_tells_its_own_error(
    empty_direct_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_direct_url)

    def fail_after_the_end(connection: Connection, **_: Any) -> list[str]:
        [[pid]] = connection.run("SELECT pg_backend_pid()")
        with closing(db.connect(empty_direct_url)) as other:
            other.run(f"SELECT pg_terminate_backend({pid}, 5000)")
        raise MigrationError("on purpose")

    monkeypatch.setattr(load_function("migrate"), "migrate", fail_after_the_end)
    with pytest.raises(MigrationError, match="on purpose"):
        load_function("migrate").lambda_handler({}, lambda_context())


def test_a_migration_cut_off_tells_its_own_error(empty_database_url: str, package: Path) -> None:
    (package / "migrations" / "0002_slow.sql").write_text("SELECT pg_sleep(5);")
    with closing(db.connect(empty_database_url, 0.3)) as connection, pytest.raises(TimeoutError, match="timed out"):
        migrate(connection, package)


def test_many_at_once_apply_each_file_once(empty_database_url: str) -> None:
    def run(_: int) -> list[str]:
        with closing(db.connect(empty_database_url)) as connection:
            return migrate(connection)

    with ThreadPoolExecutor(8) as pool:
        applied = [name for names in pool.map(run, range(8)) for name in names]
    assert len(applied) == len(set(applied)) == len(list(PACKAGE.glob("*/*.sql")))


def test_what_was_there_before_the_ledger_is_in_it(empty_database_url: str, tmp_path: Path) -> None:
    with closing(db.connect(empty_database_url)) as connection:
        migrate(connection, up_to("0001_shop.sql", tmp_path))
        connection.run(
            """INSERT INTO products (name, price, quantity, deleted_at)
               SELECT 'Tea ' || n, n, 10 * n, CASE WHEN n = 3 THEN now() END FROM generate_series(1, 3) n;
               INSERT INTO orders (customer_id, status, payment_status, total_price)
               SELECT 1, status, payment_status, 13
                 FROM unnest(enum_range(NULL::order_status)) status,
                      unnest(enum_range(NULL::payment_status)) payment_status;
               INSERT INTO order_items (order_id, product_id, line_number, product_name, quantity, price_at_purchase)
               SELECT o.id, p.id, 1, p.name, CASE p.price WHEN 1 THEN 4 ELSE p.price END, p.price
                 FROM orders o, products p
                WHERE p.price IN (1, 3)"""
        )
        migrate(connection)
        assert violations(connection) == []
        assert connection.run("SELECT kind::text, sum(delta) FROM stock_movements GROUP BY kind ORDER BY kind") == [
            # What is on hand, and what the six orders that were not canceled have taken.
            ["opening", 60 + 6 * 7],
            ["restock", 3 * 7],
            ["sale", -9 * 7],
        ]
        assert connection.run("SELECT count(*) FROM order_events") == [[9 + 8]]


def test_the_payment_events_of_the_timelines_are_in_the_inbox(empty_database_url: str, tmp_path: Path) -> None:
    with closing(db.connect(empty_database_url)) as connection:
        migrate(connection, up_to("0003_lists.sql", tmp_path))
        connection.run(
            """INSERT INTO orders (customer_id, total_price) VALUES (1, 1), (2, 1);
               INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status,
                                         to_payment_status, payment_event_id, received_payment_status, outcome)
               SELECT o.id, 'payment_event', 'payment-processor', 'pending', said.was::payment_status,
                      'pending', 'unpaid',
                      said.event_id, said.status::payment_status, said.outcome
                 FROM (VALUES ('a', 'unpaid', 'paid', 'applied'), ('a', 'paid', 'paid', 'duplicate'),
                              ('a', 'paid', 'failed', 'ignored'), ('b', 'paid', 'failed', 'ignored'),
                              ('c', 'unpaid', 'failed', 'ignored'), ('d', 'unpaid', 'paid', 'needs_refund'),
                              ('e', 'unpaid', 'paid', 'needs_review'), ('f', 'paid', 'paid', 'duplicate'))
                   AS said (event_id, was, status, outcome),
                      orders o
                WHERE o.customer_id = 1;
               INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status,
                                         to_payment_status, payment_event_id, received_payment_status, outcome)
               SELECT id, 'payment_event', 'payment-processor', 'pending', 'unpaid', 'pending', 'unpaid',
                      'a', 'paid', 'applied'
                 FROM orders
                WHERE customer_id = 2"""
        )
        migrate(connection)
        found = connection.run(
            """SELECT event_id, variant, customer_id, e.payment_status::text, e.outcome::text, e.reason, e.attempts
                 FROM payment_events e JOIN orders o ON o.id = e.order_id
                ORDER BY event_id, variant"""
        )
        assert found == [
            ["a", 0, 1, "paid", "applied", None, 2],
            ["a", 1, 1, "failed", "needs_review", "other_content", 1],
            ["a", 2, 2, "paid", "needs_review", "other_content", 1],
            ["b", 0, 1, "failed", "ignored", "order_paid", 1],
            ["c", 0, 1, "failed", "ignored", "order_not_pending", 1],
            ["d", 0, 1, "paid", "needs_refund", "order_canceled", 1],
            ["e", 0, 1, "paid", "needs_review", "order_completed", 1],
            ["f", 0, 1, "paid", "duplicate", "same_status", 1],
        ]
        [[order_id]] = connection.run("SELECT id::text FROM orders WHERE customer_id = 1")
        # What is known of them is enough to know them again.
        for status, outcome in (("paid", "duplicate"), ("failed", "duplicate"), ("paid", "duplicate")):
            assert pay(order_id, status, "a", amount="1.00").run(connection) == outcome
        assert pay(order_id, "failed", "f").run(connection) == "needs_review"


def test_a_column_becomes_a_domain_without_its_table_being_written_anew(
    empty_database_url: str, tmp_path: Path
) -> None:
    files = (
        "SELECT relname, relfilenode FROM pg_class WHERE relname IN ('products', 'orders', 'order_items') ORDER BY 1"
    )
    with closing(db.connect(empty_database_url)) as connection:
        migrate(connection, up_to("0004_payment_events.sql", tmp_path / "before"))
        connection.run(
            "INSERT INTO products (name, price, quantity) SELECT 'Tea ' || n, n, n FROM generate_series(1, 100) n"
        )
        before = connection.run(files)
        migrate(connection, up_to("0005_domains.sql", tmp_path / "after"))
        assert connection.run(files) == before
        # The planner knows what is in the new columns, and takes no table for empty.
        known = connection.run("SELECT attname FROM pg_stats WHERE tablename = 'products' AND n_distinct = -1")
        assert ["price"] in known
        assert connection.run("SELECT reltuples FROM pg_class WHERE relname IN ('orders', 'order_items')") == [[-1]] * 2


def test_the_functions_serve_the_release_that_is_still_running(api: ApiClient, database: Connection) -> None:
    tea = api.create_product(quantity=10)["id"]

    def call(function: str, request: dict[str, Any]) -> tuple[str, Any]:
        outcome, body = db.call(function, json.dumps(request))
        return outcome, json.loads(body or "null")

    assert call("create_product", {"name": "Cup", "price": "1", "quantity": 1})[0] == "created"
    assert call("update_product", {"id": tea, "changes": {"quantity": 9}})[0] == "updated"
    lines = [{"product_id": tea, "quantity": 1}]
    outcome, order = call("place_order", {"customer_id": 1, "products": lines})
    assert outcome == "placed"
    event = {"order_id": order["id"], "payment_status": "paid", "event_id": "evt_1"}
    assert call("record_payment_event", {**event, "order_id": UNKNOWN})[0] == "unknown_order"
    assert call("record_payment_event", event) == ("applied", {**event, "order_id": order["id"]})
    assert call("record_payment_event", event)[0] == "duplicate"
    assert call("change_order_status", {"id": order["id"], "status": "canceled"})[0] == "changed"
    assert call("delete_product", {"id": tea})[0] == "deleted"
    assert violations(database) == []


def test_sessions_have_time_outs(database: Connection) -> None:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    assert [database.run(f"SHOW {name}") for name in names] == [[["4s"]], [["10s"]], [["10s"]]]


def test_a_database_that_lost_its_settings_gets_them_back(database: Connection) -> None:
    settings = "SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
    settings += " WHERE datname = current_database() AND setrole = 0"
    [[before]] = database.run(settings)
    assert "random_page_cost=1.1" in before
    database.run(f"ALTER DATABASE {identifier(database.run('SELECT current_database()')[0][0])} RESET ALL")
    assert migrate(database) == []
    assert database.run(settings) == [[before]]
