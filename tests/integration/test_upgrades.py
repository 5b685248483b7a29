"""A database of an earlier release is upgraded while it sells, also if the upgrade is interrupted."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from local.schema import schema
from local.settings import APP_ROLE, as_role
from storefront import db
from storefront.audit import violations
from storefront.migrate import PACKAGE, MigrationError, migrate
from storefront.sql_files import read_files
from tests.databases import copied_package, new_database
from tests.sizes import UPGRADED_ORDERS

RELEASE = Path(__file__).parents[1] / "fixtures" / "release_0_2_0"
CLIENTS = 4
UNDEFINED_FUNCTION = "42883"
LONGEST_ORDER = 1.0
"""Seconds. Nothing may stop sales for longer."""

pytestmark = pytest.mark.not_behind_a_pooler("the sessions of the shop are those of the tests")


class Sale(NamedTuple):
    outcome: str
    seconds: float


class Shop:
    """Clients that place orders and pay them with the functions of the database, without a pause."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sales: list[Sale] = []
        self._closing = Event()

    @contextmanager
    def open(self) -> Iterator[None]:
        with ThreadPoolExecutor(CLIENTS) as pool:
            clients = [pool.submit(self._sell, number) for number in range(CLIENTS)]
            try:
                yield
            finally:
                self._closing.set()
        for client in clients:
            client.result()

    def _sell(self, client: int) -> None:
        with closing(db.connect(self.url)) as connection:
            while not self._closing.is_set():
                product = f"a0000000-0000-4000-8000-{1 + len(self.sales) % 100:012}"
                request = {
                    "customer_id": 1 + client,
                    "products": [{"product_id": product, "quantity": 1}],
                    "actor": "shop",
                    "party": "shop",
                }
                outcome, order, waited = timed(connection, "place_order", request)
                payment = {
                    "scheme": "stripe",
                    "provider": "stripe",
                    "event_id": f"evt_{order['id']}",
                    "body": "{}",
                    "order_id": order["id"],
                    "payment_status": "paid",
                    "amount": order["total_price"],
                    "actor": "payment-processor",
                }
                paid, _, waited_again = timed(connection, "record_payment_event", payment)
                self.sales.append(Sale(f"{outcome}, {paid}", max(waited, waited_again)))
                # A machine with few cores also has to run the upgrade.
                time.sleep(0.005)


def timed(connection: Connection, function: str, request: dict[str, Any]) -> tuple[str, dict[str, Any], float]:
    """Call an SQL function, and return the outcome, the response and the seconds that it took."""
    while True:
        started = time.monotonic()
        try:
            [[outcome, body]] = connection.run(
                f"SELECT outcome, body FROM {function}(:request)", request=json.dumps(request)
            )
        except DatabaseError as error:
            # Until an upgrade from 0.2.0 ends, it needs a function that 0004 drops. A processor repeats the event.
            if error.args[0]["C"] != UNDEFINED_FUNCTION:
                raise
        else:
            return outcome, json.loads(body), time.monotonic() - started


@pytest.fixture(scope="module")
def filled_0_2_0(
    server_url: str,
    module_direct_url: str,  # noqa: ARG001  its database creates the functions' role
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """The name of a database of release 0.2.0 with orders, for copies."""
    package = copied_package(tmp_path_factory.mktemp("release"))
    keep(package, "0001_baseline.sql")
    with new_database(server_url) as url:
        with closing(db.connect(url, 3600)) as connection:
            migrate(connection, package)
            for function in ("order_json.sql", "place_order.sql", "record_payment_event.sql"):
                connection.run((RELEASE / function).read_text())
            rights = "SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public"
            connection.run(f"GRANT {rights} TO {APP_ROLE}")
            connection.run("SET statement_timeout = 0")
            rows, products = UPGRADED_ORDERS.chosen, min(UPGRADED_ORDERS.chosen, 10_000)
            fill = (RELEASE / "orders.sql").read_text().replace(":rows", str(rows)).replace(":products", str(products))
            connection.run(fill)
            connection.run("ANALYZE")
        yield urlsplit(url).path.removeprefix("/")


@pytest.fixture
def url_0_2_0(server_url: str, filled_0_2_0: str) -> Iterator[str]:
    with new_database(server_url, f'TEMPLATE "{filled_0_2_0}" STRATEGY FILE_COPY') as url:
        yield url


@pytest.fixture
def url_of_a_development_version(url_0_2_0: str, tmp_path: Path) -> str:
    """A database that applied earlier texts of the migrations 3 and 4, which also created their indexes."""
    package = copied_package(tmp_path)
    keep(package, *(file.name for file in (package / "migrations").glob("*.sql") if file.name < "0005"))
    indexes = re.findall(
        r"CREATE INDEX CONCURRENTLY[^;]*(?:updated_at|held|payment_events_)[^;]*;", sql("0007_indexes")
    )
    with closing(db.connect(url_0_2_0, 600)) as connection:
        migrate(connection, package)
        for index in indexes:
            connection.run(index.replace("CONCURRENTLY", ""))
        for name in ("0003_times_and_parties", "0004_payment_events"):
            [earlier] = re.findall("SHA-256 ([0-9a-f]{64})", sql(name))
            connection.run(f"UPDATE schema_history SET checksum = '{earlier}' WHERE name = '{name}.sql'")
    return url_0_2_0


def sql(migration: str) -> str:
    return (PACKAGE / "migrations" / f"{migration}.sql").read_text()


def keep(package: Path, *migrations: str) -> None:
    """Remove all other SQL."""
    for file in package.glob("*/*.sql"):
        if file.name not in migrations:
            file.unlink()


def expect_upgraded(connection: Connection, sales: list[Sale], fresh: Connection) -> None:
    """The data is consistent, the schema is that of a new database, and no order failed or waited for long."""
    assert connection.run("SELECT count(*) - count(DISTINCT number), min(number) FROM orders") == [[0, 1001]]
    # Older orders have lower numbers.
    assert connection.run("""
        SELECT count(*)
          FROM (SELECT number, row_number() OVER (ORDER BY created_at, id) + 1000 AS expected
                  FROM orders WHERE id::text LIKE 'b0000000-%') AS existing
         WHERE number <> expected""") == [[0]]
    assert connection.run("""
        SELECT count(*) FROM orders
         WHERE currency <> 'USD' OR expires_at <> created_at + interval '1 day' AND id::text LIKE 'b0000000-%'
    """) == [[0]]
    assert connection.run(
        "SELECT count(*) FROM orders WHERE payment_status = 'paid' AND paid_amount <> total_price"
    ) == [[0]]
    assert connection.run("SELECT count(*) - count(DISTINCT order_id) FROM payments") == [[0]]
    assert violations(connection) == []
    assert sorted(schema(connection).splitlines()) == sorted(schema(fresh).splitlines())
    assert {sale.outcome for sale in sales} == {"placed, applied"}
    longest = max(sale.seconds for sale in sales)
    print(f"{len(sales)} orders were placed, the slowest in {longest:.3f} s")  # noqa: T201  for -rP
    assert longest < LONGEST_ORDER


@pytest.mark.long
@pytest.mark.parametrize("start", ["url_0_2_0", "url_of_a_development_version"])
def test_an_upgrade_stops_no_order_for_more_than_a_second(
    start: str, request: pytest.FixtureRequest, database: Connection
) -> None:
    url = request.getfixturevalue(start)
    shop = Shop(as_role(url, APP_ROLE))
    with closing(db.connect(url, 3600)) as connection:
        with shop.open():
            time.sleep(0.5)
            started = time.monotonic()
            assert "0006_order_numbers.sql" in migrate(connection, app_role=APP_ROLE)
            print(f"The upgrade took {time.monotonic() - started:.1f} s")  # noqa: T201  for -rP
        expect_upgraded(connection, shop.sales, database)


def test_an_upgrade_with_a_later_column_fails_no_order(url_0_2_0: str, tmp_path: Path) -> None:
    package = copied_package(tmp_path)
    (package / "migrations" / "9999_hue.sql").write_text("ALTER TABLE products ADD COLUMN hue text;")
    shop = Shop(as_role(url_0_2_0, APP_ROLE))
    with closing(db.connect(url_0_2_0, 3600)) as connection:
        with shop.open():
            time.sleep(0.1)
            applied = migrate(connection, package, app_role=APP_ROLE)
        assert applied.index("9999_hue.sql") < applied.index("0006_order_numbers.sql")
        assert {sale.outcome for sale in shop.sales} == {"placed, applied"}
        assert connection.run("SELECT count(*) - count(DISTINCT number) FROM orders") == [[0]]
        assert violations(connection) == []


@pytest.mark.long
def test_an_interrupted_upgrade_continues_and_ends_in_the_same_schema(
    url_0_2_0: str, database: Connection, tmp_path: Path
) -> None:
    until_now = copied_package(tmp_path)
    for file in read_files(until_now):
        if file.is_step:
            (until_now / "migrations" / file.name).unlink()
    shop = Shop(as_role(url_0_2_0, APP_ROLE))
    with closing(db.connect(url_0_2_0, 3600)) as connection, closing(db.connect(url_0_2_0)) as other:
        with shop.open():
            migrate(connection, until_now, app_role=APP_ROLE)
            # The second batch waits for this row.
            other.run("BEGIN")
            other.run("SELECT FROM orders WHERE id = 'b0000000-0000-4000-8000-000000003000' FOR UPDATE")
            interrupt(url_0_2_0, "UPDATE order_numbering", "transactionid")
            assert connection.run("SELECT count(number) FROM orders WHERE number <= 3000") == [[2000]]
            other.run("ROLLBACK")
            # The index waits for this snapshot.
            other.run("BEGIN ISOLATION LEVEL REPEATABLE READ")
            other.run("SELECT 1")
            interrupt(url_0_2_0, "CREATE INDEX CONCURRENTLY", "virtualxid")
            assert connection.run("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [[1]]
            other.run("ROLLBACK")
            applied = migrate(connection, app_role=APP_ROLE)
        assert "0006_order_numbers.sql" not in applied
        assert "0007_indexes.sql" in applied
        expect_upgraded(connection, shop.sales, database)


def interrupt(url: str, statement: str, lock: str) -> None:
    """End the session of an upgrade while this statement waits for a lock."""

    def run() -> list[str]:
        with db.session(db.connect(url, 3600)) as connection:
            return migrate(connection, app_role=APP_ROLE)

    with closing(db.connect(url)) as watcher, ThreadPoolExecutor(1) as pool:
        upgrade = pool.submit(run)
        while not watcher.run(
            """SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
                WHERE datname = current_database() AND wait_event = :lock
                  AND pid <> pg_backend_pid() AND strpos(query, :statement) > 0""",
            lock=lock,
            statement=statement,
        ):
            assert not upgrade.done()
            time.sleep(0.01)
        with pytest.raises((*db.TRANSPORT_ERRORS, MigrationError)):
            upgrade.result()
