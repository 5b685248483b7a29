"""Migrations are applied once, all or none, and never to an incompatible database."""

import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from pg8000.native import Connection, identifier

from storefront import db
from storefront.migrate import PACKAGE, MigrationError, migrate
from tests.api_client import ApiClient, expect, lambda_context, load_function

pytestmark = pytest.mark.usefixtures("environment")


def test_the_function_applies_each_file_once(empty_database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    handler = load_function("migrate").lambda_handler
    applied = handler({}, lambda_context())["applied"]
    assert applied[0] == "0001_baseline.sql"
    assert {file.name for file in PACKAGE.glob("*/*.sql")} == {Path(name).name for name in applied}
    assert handler({}, lambda_context()) == {"applied": []}


def test_a_change_to_an_applied_migration_is_refused(database: Connection, package: Path) -> None:
    migration = package / "migrations" / "0001_baseline.sql"
    migration.write_text(migration.read_text() + "-- changed")
    with pytest.raises(MigrationError, match=r"0001_baseline\.sql was changed"):
        migrate(database, package)


def test_a_changed_function_is_applied_again(database: Connection, package: Path) -> None:
    function = package / "products" / "get_product.sql"
    function.write_text(function.read_text().replace("unknown_product", "unheard_of"))
    assert migrate(database, package) == ["products/get_product.sql"]
    assert database.run("SELECT outcome FROM get_product('{}')") == [["unheard_of"]]
    assert migrate(database, package) == []


@pytest.mark.parametrize("keeps_history", [False, True], ids=["this release", "release 0.2.0"])
def test_a_function_that_moved_to_another_file_is_restored_by_a_rollback_and_by_the_next_deployment(
    database: Connection, package: Path, *, keeps_history: bool
) -> None:
    earlier, moved = package / "products" / "get_product.sql", package / "orders" / "get_product.sql"
    text = earlier.read_text()
    outcomes = []
    for deployment in ("upgrade", "rollback", "upgrade"):
        history = database.run("SELECT name, checksum FROM schema_history")
        path = moved if deployment == "upgrade" else earlier
        (earlier if path is moved else moved).unlink(missing_ok=True)
        path.write_text(text.replace("unknown_product", "unheard_of") if path is moved else text)
        migrate(database, package)
        if deployment == "rollback" and keeps_history:
            # It does not know the files of later releases.
            for name, checksum in history:
                database.run(
                    "INSERT INTO schema_history VALUES (:name, :checksum) ON CONFLICT DO NOTHING",
                    name=name,
                    checksum=checksum,
                )
        outcomes += database.run("SELECT outcome FROM get_product('{}')")
    assert outcomes == [["unheard_of"], ["unknown_product"], ["unheard_of"]]


@pytest.mark.parametrize(
    "change",
    [
        "ALTER TABLE products ALTER description TYPE varchar(20000)",
        "ALTER TABLE products ALTER price TYPE numeric(12, 2)",
        "ALTER TABLE orders ALTER customer_id TYPE bigint",
    ],
)
def test_a_session_works_on_after_a_migration_changes_a_type(
    api: ApiClient, database: Connection, package: Path, change: str
) -> None:
    api.order((api.create_product()["id"], 1))
    paths = ("/api/products", "/api/orders")
    # Often enough for PostgreSQL to cache a plan.
    for path in paths * 8:
        expect(200, api.get(path))
    (package / "migrations" / "9999_type.sql").write_text(change)
    assert migrate(database, package) == ["9999_type.sql"]
    for path in paths:
        expect(200, api.get(path))


def test_a_failed_migration_changes_nothing(database: Connection, package: Path) -> None:
    (package / "migrations" / "0002_good.sql").write_text("CREATE TABLE good ();")
    (package / "migrations" / "0003_bad.sql").write_text("CREATE TABLE half (); SELECT 1 / 0;")
    with pytest.raises(MigrationError, match=r"0003_bad\.sql failed: PostgreSQL 22012"):
        migrate(database, package)
    assert database.run("SELECT to_regclass('good'), to_regclass('half')") == [[None, None]]
    (package / "migrations" / "0003_bad.sql").write_text("CREATE TABLE half ();")
    assert migrate(database, package) == ["0002_good.sql", "0003_bad.sql"]


def test_the_error_of_a_failed_migration_contains_no_data(database: Connection, package: Path) -> None:
    # Its error is in the log and in CloudFormation's events.
    (package / "migrations" / "0002_bad.sql").write_text(
        "INSERT INTO products (name, price, quantity) VALUES ('jane@example.org', 1, -1);"
    )
    with pytest.raises(MigrationError, match="23514, stock_quantity_not_negative") as failed:
        migrate(database, package)
    assert "jane" not in "".join(traceback.format_exception(failed.value))


def test_a_migration_may_take_longer_than_a_request(
    empty_database_url: str, package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (package / "migrations" / "0002_slow.sql").write_text("SELECT pg_sleep(0.5);")
    function = load_function("migrate")
    monkeypatch.setattr(function, "migrate", lambda connection, **_: migrate(connection, package))
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    # Not until the end, because dropping the database takes longer.
    with monkeypatch.context() as patched:
        patched.setattr(db, "RESPONSE_TIMEOUT", 0.1)
        patched.setattr(db.connect, "__defaults__", (0.1,))
        assert "0002_slow.sql" in function.lambda_handler({}, lambda_context())["applied"]


def test_the_function_waits_for_a_database_that_starts(
    empty_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusals, connect = [ConnectionRefusedError(), TimeoutError()], db._connect

    def refuse_at_first(*arguments: Any) -> Connection:
        if refusals:
            raise refusals.pop()
        return connect(*arguments)

    monkeypatch.setattr(db, "_connect", refuse_at_first)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setenv("DATABASE_URL", empty_database_url)
    assert load_function("migrate").lambda_handler({}, lambda_context())["applied"]


def test_the_wait_for_a_database_times_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_function("migrate"), "PATIENCE", 0)
    monkeypatch.setenv("DATABASE_URL", "postgresql://127.0.0.1:1/x?sslmode=disable")
    with pytest.raises(ConnectionRefusedError):
        load_function("migrate").lambda_handler({}, lambda_context())


def test_a_migration_whose_session_ended_reports_its_original_error(
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


def test_a_migration_that_times_out_reports_the_timeout(empty_database_url: str, package: Path) -> None:
    (package / "migrations" / "0002_slow.sql").write_text("SELECT pg_sleep(5);")
    with closing(db.connect(empty_database_url, 0.3)) as connection, pytest.raises(TimeoutError, match="timed out"):
        migrate(connection, package)


def test_concurrent_migrations_apply_each_file_once(empty_database_url: str, empty_direct_url: str) -> None:
    def run(_: int) -> list[str]:
        with closing(db.connect(empty_database_url)) as connection, closing(db.connect(empty_direct_url)) as guard:
            return migrate(connection, guard=guard)

    with ThreadPoolExecutor(4) as pool:
        applied = [name for names in pool.map(run, range(4)) for name in names]
    assert len(applied) == len(set(applied)) == len(list(PACKAGE.glob("*/*.sql")))


def test_a_rolled_back_release_works_on_the_newer_schema(api: ApiClient, database: Connection, package: Path) -> None:
    (package / "migrations" / "0002_colour.sql").write_text("ALTER TABLE products ADD COLUMN colour text;")
    function = package / "products" / "get_product.sql"
    function.write_text(function.read_text().replace("unknown_product", "unheard_of"))
    assert migrate(database, package) == ["0002_colour.sql", "products/get_product.sql"]
    assert migrate(database) == ["products/get_product.sql"]
    assert migrate(database) == []
    tea = api.create_product()
    assert expect(200, api.get(f"/api/products/{tea['id']}")) == tea


def test_a_database_of_a_development_version_is_refused(empty_database_url: str, package: Path) -> None:
    baseline = package / "migrations" / "0001_baseline.sql"
    baseline.rename(baseline.with_name("0001_shop.sql"))
    with closing(db.connect(empty_database_url)) as connection:
        assert migrate(connection, package)[0] == "0001_shop.sql"
        history = connection.run("SELECT * FROM schema_history ORDER BY name")
        with pytest.raises(MigrationError, match=r"from a development version before 0\.2\.0, so delete it"):
            migrate(connection)
        assert connection.run("SELECT * FROM schema_history ORDER BY name") == history


def test_sessions_have_timeouts(database: Connection) -> None:
    names = ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout")
    assert [database.run(f"SHOW {name}") for name in names] == [[["4s"]], [["10s"]], [["10s"]]]


def test_a_migration_restores_lost_database_settings(database: Connection) -> None:
    settings = "SELECT setconfig FROM pg_db_role_setting JOIN pg_database d ON d.oid = setdatabase"
    settings += " WHERE datname = current_database() AND setrole = 0"
    [[before]] = database.run(settings)
    assert "random_page_cost=1.1" in before
    database.run(f"ALTER DATABASE {identifier(database.run('SELECT current_database()')[0][0])} RESET ALL")
    assert migrate(database) == []
    assert database.run(settings) == [[before]]
