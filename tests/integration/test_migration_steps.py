"""Migrations are steps that commit independently. A run that was interrupted continues, and no step stops the shop."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from pg8000.native import Connection

from storefront import db
from storefront import migrate as migrations
from storefront.migrate import PACKAGE, MigrationError, migrate
from storefront.sql_files import read_files
from tests.databases import copied_package

NUMBERS = "CREATE TABLE numbers AS SELECT n, NULL::integer AS tripled FROM generate_series(1, 10) n;"
IN_BATCHES = """\
-- In batches: three numbers at a time.
UPDATE numbers SET tripled = 3 * n + 0 / (n - 100)
 WHERE n IN (SELECT n FROM numbers WHERE tripled IS NULL ORDER BY n LIMIT 3);
"""
UNIQUE = """\
-- Outside of a transaction: an index.
SET lock_timeout = 0;
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS numbers_by_n ON numbers (n);
COMMENT ON INDEX numbers_by_n IS 'unique';
"""

TRANSACTIONS_OF_HISTORY = """
SELECT count(DISTINCT xmin::text) FROM schema_history
 WHERE name IN ('9001_numbers.sql', '9003_column.sql', '9005_table.sql')"""


class Release:
    """A release with migrations of its own."""

    def __init__(self, package: Path, database: Connection) -> None:
        self.package, self.database = package, database

    def add(self, name: str, text: str) -> None:
        (self.package / "migrations" / name).write_text(text)

    def deploy(self) -> list[str]:
        return migrate(self.database, self.package)


@pytest.fixture
def release(database: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    monkeypatch.setattr(migrations, "_PAUSE", 0.1)
    release = Release(copied_package(tmp_path), database)
    release.add("9001_numbers.sql", NUMBERS)
    return release


@pytest.fixture
def other(direct_url: str) -> Iterator[Connection]:
    """A second session on the test's database."""
    with closing(db.connect(direct_url)) as connection:
        yield connection


def test_a_step_in_batches_commits_each_batch_and_ends_when_nothing_is_left(
    release: Release, database: Connection
) -> None:
    release.add("9002_tripled.sql", IN_BATCHES)
    assert release.deploy() == ["9001_numbers.sql", "9002_tripled.sql"]
    assert database.run("SELECT count(*), count(tripled), count(DISTINCT xmin::text) FROM numbers") == [[10, 10, 4]]
    assert release.deploy() == []


def test_a_repeated_step_runs_again_only_after_the_functions_changed(release: Release, database: Connection) -> None:
    again = "-- In batches, again with each release: three at a time."
    release.add("9002_tripled.sql", IN_BATCHES.replace("-- In batches: three numbers at a time.", again))
    assert release.deploy() == ["9001_numbers.sql", "9002_tripled.sql"]
    database.run("INSERT INTO numbers (n) VALUES (11)")
    assert release.deploy() == []
    assert database.run("SELECT count(*), count(tripled) FROM numbers") == [[11, 10]]
    function = release.package / "products" / "get_product.sql"
    function.write_text(function.read_text().replace("unknown_product", "unheard_of"))
    assert release.deploy() == ["products/get_product.sql"]
    assert database.run("SELECT count(*), count(tripled) FROM numbers") == [[11, 11]]


def test_no_index_of_an_existing_table_is_built_while_all_tables_are_locked() -> None:
    for file in read_files(PACKAGE):
        # The first creates all tables, and the second rewrites the table of its index anyway.
        if file.is_migration and not file.is_step and file.name > "0003":
            indexed = set(re.findall(r"^CREATE (?:UNIQUE )?INDEX .* ON (\w+)", file.text, re.MULTILINE))
            assert indexed <= set(re.findall(r"^CREATE TABLE (\w+)", file.text, re.MULTILINE)), file.name


def test_a_step_in_batches_that_failed_continues_where_it_stopped(release: Release, database: Connection) -> None:
    release.add("9002_tripled.sql", IN_BATCHES.replace("100", "5"))
    release.add("9003_later.sql", "CREATE TABLE later ();")
    with pytest.raises(MigrationError, match=r"9002_tripled\.sql failed: PostgreSQL 22012"):
        release.deploy()
    assert database.run("SELECT n FROM numbers WHERE tripled IS NOT NULL") == [[1], [2], [3]]
    assert database.run("SELECT to_regclass('later')") == [["later"]]
    release.add("9002_tripled.sql", IN_BATCHES)
    assert release.deploy() == ["9002_tripled.sql"]
    assert database.run("SELECT count(tripled), count(DISTINCT xmin::text) FROM numbers") == [[10, 4]]


def test_a_step_in_batches_that_finds_its_own_rows_again_ends_with_an_error(
    release: Release, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_MOST_BATCHES", 5)
    release.add("9002_endless.sql", "-- In batches: without an end.\nUPDATE numbers SET tripled = 3 * n;\n")
    with pytest.raises(MigrationError, match=r"9002_endless\.sql still changed rows after 5 runs: check that"):
        release.deploy()
    assert database.run("SELECT count(*) FROM schema_history WHERE name LIKE '9002%'") == [[0]]


def test_a_step_that_needs_more_batches_than_a_deployment_allows_continues_with_the_next(
    release: Release, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_MOST_BATCHES", 3)
    release.add("9002_tripled.sql", IN_BATCHES)
    with pytest.raises(MigrationError, match="deploy again to continue"):
        release.deploy()
    assert release.deploy() == ["9002_tripled.sql"]
    assert database.run("SELECT count(tripled) FROM numbers") == [[10]]


def test_the_files_of_the_shared_transaction_come_before_steps_with_lower_numbers(
    release: Release, database: Connection
) -> None:
    release.add("9002_tripled.sql", IN_BATCHES)
    release.add("9003_column.sql", "ALTER TABLE numbers ADD COLUMN hue text;")
    release.add("9004_unique.sql", UNIQUE)
    release.add("9005_table.sql", "CREATE TABLE later AS SELECT count(tripled) FROM numbers;")
    assert release.deploy() == [
        *("9001_numbers.sql", "9003_column.sql", "9005_table.sql"),
        *("9002_tripled.sql", "9004_unique.sql"),
    ]
    assert database.run("SELECT * FROM later") == [[0]]
    assert database.run(TRANSACTIONS_OF_HISTORY) == [[1]]


def test_a_new_file_of_the_shared_transaction_comes_before_the_steps_that_an_interrupted_run_left(
    release: Release, database: Connection
) -> None:
    release.add("9002_unique.sql", UNIQUE)
    release.add("9003_tripled.sql", IN_BATCHES.replace("100", "5"))
    release.add("9004_named.sql", UNIQUE.replace("numbers_by_n", "numbers_again"))
    with pytest.raises(MigrationError, match=r"9003_tripled\.sql failed"):
        release.deploy()
    function = release.package / "products" / "get_product.sql"
    function.write_text(function.read_text().replace("unknown_product", "unheard_of"))
    release.add("9005_column.sql", "ALTER TABLE numbers ADD COLUMN hue text;")
    with pytest.raises(MigrationError, match=r"9003_tripled\.sql failed"):
        release.deploy()
    # The column came with the functions, and without the steps.
    assert database.run("SELECT count(hue) FROM numbers") == [[0]]
    assert database.run("SELECT outcome FROM get_product('{}')") == [["unheard_of"]]
    release.add("9003_tripled.sql", IN_BATCHES)
    assert release.deploy() == ["9003_tripled.sql", "9004_named.sql"]
    assert release.deploy() == []


def test_an_index_that_an_interrupted_run_left_invalid_is_created_again(release: Release, database: Connection) -> None:
    release.add("9001_numbers.sql", NUMBERS.replace("SELECT n,", "SELECT n / 2 AS n,"))
    release.add("9002_unique.sql", UNIQUE)
    with pytest.raises(MigrationError, match=r"9002_unique\.sql, statement 2 failed: PostgreSQL 23505"):
        release.deploy()
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'numbers_by_n'::regclass"
    assert database.run(valid) == [[False]]
    database.run("DELETE FROM numbers a USING numbers b WHERE a.n = b.n AND a.ctid > b.ctid")
    assert release.deploy() == ["9002_unique.sql"]
    assert database.run(valid) == [[True]]
    assert release.deploy() == []


def test_a_statement_outside_of_a_transaction_has_no_time_limit_and_leaves_none_changed(
    release: Release, database: Connection
) -> None:
    limits = "SELECT current_setting('statement_timeout'), current_setting('lock_timeout')"
    before = database.run(limits)
    release.add("9002_slow.sql", f"-- Outside of a transaction: limits.\nCREATE TABLE seen AS {limits} AS lock;\n")
    release.deploy()
    assert database.run("SELECT * FROM seen") == [["0", "300ms"]]
    assert database.run(limits) == before == [["10s", "4s"]]


def test_a_migration_waits_for_its_locks_for_a_third_of_a_second(release: Release, database: Connection) -> None:
    release.add("9002_show.sql", "CREATE TABLE seen AS SELECT current_setting('lock_timeout');")
    release.deploy()
    assert database.run("SELECT * FROM seen") == [["300ms"]]


def test_a_long_query_stops_requests_for_no_longer_than_a_migration_waits(
    release: Release, other: Connection, direct_url: str
) -> None:
    release.add("9002_hue.sql", "ALTER TABLE products ADD COLUMN hue text;")
    other.run("BEGIN")
    other.run("LOCK TABLE products IN ACCESS SHARE MODE")
    waits = []
    with closing(db.connect(direct_url)) as shop, ThreadPoolExecutor(1) as pool:
        migration = pool.submit(release.deploy)
        end = time.monotonic() + 2
        while time.monotonic() < end:
            started = time.monotonic()
            shop.run("SELECT count(*) FROM products")
            waits.append(time.monotonic() - started)
        assert not migration.done()
        other.run("COMMIT")
        assert migration.result() == ["9001_numbers.sql", "9002_hue.sql"]
    # Some did wait, for about the 0.3 seconds of the lock.
    assert 0.1 < max(waits) < 0.8


def test_a_migration_gives_up_if_a_table_stays_locked(
    release: Release, other: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_ATTEMPTS", 2)
    other.run("BEGIN")
    other.run("LOCK TABLE products IN ACCESS SHARE MODE")
    with pytest.raises(
        MigrationError, match="the lock of all tables failed: canceling statement due to statement timeout"
    ):
        release.deploy()
    other.run("COMMIT")
    assert release.deploy() == ["9001_numbers.sql"]


def test_a_batch_waits_for_a_locked_row_and_does_not_fail(release: Release, other: Connection) -> None:
    release.deploy()
    release.add("9002_tripled.sql", IN_BATCHES)
    other.run("BEGIN")
    other.run("SELECT FROM numbers WHERE n = 5 FOR UPDATE")
    with ThreadPoolExecutor(1) as pool:
        migration = pool.submit(release.deploy)
        time.sleep(0.8)
        assert not migration.done()
        other.run("COMMIT")
        assert migration.result() == ["9002_tripled.sql"]


def test_a_process_that_waits_for_its_turn_does_not_block_an_index(release: Release, direct_url: str) -> None:
    release.add("9002_unique.sql", UNIQUE.replace("SET lock_timeout = 0", "SELECT pg_sleep(0.5)"))

    def run(_: int) -> list[str]:
        with closing(db.connect(direct_url)) as connection, closing(db.connect(direct_url)) as guard:
            return migrate(connection, release.package, guard=guard)

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(run, range(3))) == [[], [], ["9001_numbers.sql", "9002_unique.sql"]]


def test_a_process_does_not_wait_for_its_turn_forever(
    release: Release, database: Connection, other: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "_WAIT_FOR_OTHERS", 0.1)
    with migrations._alone(other), pytest.raises(MigrationError, match="another process migrates the database"):
        migrate(other, release.package, guard=database)


def test_an_earlier_text_of_a_migration_counts_as_applied(release: Release, database: Connection) -> None:
    release.deploy()
    [[checksum]] = database.run("SELECT checksum FROM schema_history WHERE name = '9001_numbers.sql'")
    release.add("9001_numbers.sql", f"-- Counts as applied with the earlier SHA-256 {checksum}.\nSELECT 1;")
    assert release.deploy() == []
    release.add("9001_numbers.sql", f"-- Counts as applied with the earlier SHA-256 {'0' * 64}.\nSELECT 1;")
    with pytest.raises(MigrationError, match=r"9001_numbers\.sql was changed after it was applied"):
        release.deploy()


def test_a_vacuum_stops_no_request(release: Release, other: Connection, direct_url: str) -> None:
    other.run("BEGIN")
    # The lock of a vacuum. PostgreSQL would stop a real one after a second.
    other.run("LOCK TABLE products IN SHARE UPDATE EXCLUSIVE MODE")
    with closing(db.connect(direct_url)) as shop, ThreadPoolExecutor(1) as pool:
        migration = pool.submit(release.deploy)
        time.sleep(0.5)
        started = time.monotonic()
        shop.run("SELECT count(*) FROM products")
        assert time.monotonic() - started < 0.2
        assert not migration.done()
        other.run("COMMIT")
        assert migration.result() == ["9001_numbers.sql"]


def test_an_interrupted_transaction_of_a_statement_file_ends(release: Release, database: Connection) -> None:
    release.add(
        "9002_bad.sql", "-- Outside of a transaction: two.\nBEGIN;\nCREATE TABLE half ();\nSELECT 1 / 0;\nCOMMIT;\n"
    )
    with pytest.raises(MigrationError, match=r"9002_bad\.sql, statement 3 failed: PostgreSQL 22012"):
        release.deploy()
    assert database.run("SELECT to_regclass('half')") == [[None]]
