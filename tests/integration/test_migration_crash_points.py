"""A migration whose connection dies at any flush is complete or absent, and can be run again."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import pytest
from pg8000.native import Connection

from storefront import db
from storefront.migrate import migrate
from tests.api_client import lambda_context, load_function
from tests.databases import copied_package
from tests.integration.postgres_proxy import PostgresProxy, lose, proxy_to

RELEASED = ["9999_hue.sql", "products/get_product.sql"]
RELEASED_CHANGES = 4
"""A column, a function's text, and a row of the history for each of the two files."""

# In this order: two startups, the guard, the history, a check of the guard, the transaction's start, the locks, the
# defaults, each file, the unchanged functions, the database's settings, and COMMIT.
RELEASE_COMMIT = 2 + 3 + 2 + 1 + 2 + 6 + 1 + 2 * len(RELEASED) + 1 + 1 + 1
# Each release repeats a step: a check of the guard, the transaction's start, the file, its row, and COMMIT.
REPEATED_STEP = 1 + 2 + 1 + 1 + 1
# The last one is the end of the guard.
RELEASE_FLUSHES = RELEASE_COMMIT + REPEATED_STEP + 1


class Release(NamedTuple):
    """A release with a new migration and a changed function, deployed through a proxy."""

    proxy: PostgresProxy
    database: Connection

    def deploy(self) -> list[str]:
        applied: list[str] = load_function("migrate").lambda_handler({}, lambda_context())["applied"]
        return applied

    def schema(self) -> set[str]:
        rows = self.database.run("""
            SELECT name || checksum FROM schema_history
            UNION ALL SELECT attname::text FROM pg_attribute WHERE attrelid = 'products'::regclass
            UNION ALL SELECT prosrc FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        """)
        return {line for [line] in rows or []}


@pytest.fixture
def release(
    empty_database_url: str,
    tmp_path: Path,
    environment: None,  # noqa: ARG001  the settings of the migrate function
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Release]:
    package = copied_package(tmp_path)
    (package / "migrations" / "9999_hue.sql").write_text("ALTER TABLE products ADD COLUMN hue text;")
    function = package / "products" / "get_product.sql"
    function.write_text(function.read_text().replace("unknown_product", "unheard_of"))
    monkeypatch.setattr(
        load_function("migrate"), "migrate", lambda connection, guard, **_: migrate(connection, package, guard=guard)
    )
    with (
        TemporaryDirectory() as folder,
        proxy_to(empty_database_url, Path(folder)) as proxy,
        closing(db.connect(empty_database_url)) as database,
    ):
        migrate(database)
        monkeypatch.setenv("DATABASE_URL", proxy.url)
        yield Release(proxy, database)


@pytest.mark.parametrize("lost", ["request", "response"])
def test_a_migration_interrupted_before_commit_changes_nothing_and_can_be_run_again(
    lost: str, release: Release
) -> None:
    before = release.schema()
    # The first flushes are the logins.
    for flush in range(3, RELEASE_COMMIT):
        lose(release.proxy, flush, lost)
        with pytest.raises(db.TRANSPORT_ERRORS):
            release.deploy()
        assert release.schema() == before, f"{lost} of flush {flush} lost"
    assert release.deploy() == RELEASED
    assert len(release.schema() - before) == RELEASED_CHANGES


@pytest.mark.parametrize(
    ("lost", "applied_next"), [("request", RELEASED), ("response", [])], ids=["request", "response"]
)
def test_a_migration_interrupted_at_commit_is_complete_or_absent_and_can_be_run_again(
    lost: str, applied_next: list[str], release: Release
) -> None:
    before = release.schema()
    lose(release.proxy, RELEASE_COMMIT, lost)
    with pytest.raises(db.TRANSPORT_ERRORS):
        release.deploy()
    assert len(release.schema() - before) == (0 if applied_next else RELEASED_CHANGES)
    assert release.deploy() == applied_next
    assert len(release.schema() - before) == RELEASED_CHANGES


@pytest.mark.parametrize("lost", ["request", "response"])
def test_a_migration_interrupted_in_a_repeated_step_is_complete_and_can_be_run_again(
    lost: str, release: Release
) -> None:
    before = release.schema()
    lose(release.proxy, RELEASE_COMMIT + REPEATED_STEP, lost)
    with pytest.raises(db.TRANSPORT_ERRORS):
        release.deploy()
    assert len(release.schema() - before) == RELEASED_CHANGES
    assert release.deploy() == []


@pytest.mark.parametrize("lost", ["request", "response"])
def test_a_migration_interrupted_at_login_connects_again(lost: str, release: Release) -> None:
    lose(release.proxy, 1, lost)
    assert release.deploy() == RELEASED


def test_every_flush_of_a_migration_is_a_crash_point(release: Release) -> None:
    assert release.deploy() == RELEASED
    assert release.proxy.round_trips == RELEASE_FLUSHES
