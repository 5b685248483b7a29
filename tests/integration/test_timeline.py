"""The timeline is append-only. The only change is that the text of a note is erased."""

from collections.abc import Iterator
from contextlib import closing

import pytest
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection

from local.settings import APP_ROLE, as_role
from storefront import db
from tests.api_client import ApiClient
from tests.integration.races import add_note, pay

REFUSED = [
    "note = 'another'",
    "note = ''",
    "note = NULL, actor = 'another'",
    "note = NULL, occurred_at = now()",
    "note = NULL, idempotency_key = 'k'",
    "note = NULL, cause = 'expiry'",
    "note = note",
    "actor = actor",
    "reason = NULL",
]


@pytest.fixture
def noted(api: ApiClient, database: Connection, order_id: str) -> Connection:
    """The owner's session, on a database with an order that has a note and a payment event."""
    assert api
    add_note(order_id).run(database)
    pay(order_id, "paid").run(database)
    return database


@pytest.fixture
def functions(direct_url: str, noted: Connection) -> Iterator[Connection]:
    """A session of the functions' role on that database."""
    assert noted
    with closing(db.connect(as_role(direct_url, APP_ROLE))) as connection:
        yield connection


@pytest.mark.parametrize("change", REFUSED)
def test_nothing_else_can_be_updated_not_even_by_the_owner(noted: Connection, change: str) -> None:
    before = noted.run("SELECT * FROM order_events ORDER BY id")
    with pytest.raises(DatabaseError, match=r"order_events is append-only: UPDATE refused|note_length"):
        noted.run(f"UPDATE order_events SET {change} WHERE cause = 'note'")
    assert noted.run("SELECT * FROM order_events ORDER BY id") == before


def test_every_column_except_the_note_is_protected(noted: Connection) -> None:
    columns = noted.run(
        "SELECT attname::text FROM pg_attribute WHERE attrelid = 'order_events'::regclass AND attnum > 0"
        " AND attname <> 'note' AND NOT attisdropped"
    )
    for [column] in columns or []:
        value = "DEFAULT" if column == "id" else f"CASE WHEN {column} IS NULL THEN {other(noted, column)} END"
        with pytest.raises(DatabaseError, match="append-only"):
            noted.run(f"UPDATE order_events SET note = NULL, {column} = {value} WHERE cause = 'note'")


def other(database: Connection, column: str) -> str:
    """A value of the column's type."""
    [[type_]] = database.run(f"SELECT pg_typeof({column})::text FROM order_events LIMIT 1") or []
    values = {
        "text": "'x'",
        "uuid": "gen_random_uuid()",
        "timestamp with time zone": "now()",
        "order_status": "'canceled'::order_status",
        "payment_status": "'paid'::payment_status",
        "order_event_cause": "'expiry'::order_event_cause",
        "party": "'shop'::party",
        "refund_status": "'pending'::refund_status",
    }
    return values[type_]


def test_the_text_of_a_note_can_be_erased_once(noted: Connection) -> None:
    erasing = "UPDATE order_events SET note = NULL WHERE cause = 'note'"
    noted.run(erasing)
    assert noted.run("SELECT note FROM order_events WHERE cause = 'note'") == [[None]]
    with pytest.raises(DatabaseError, match="append-only"):
        noted.run(erasing)


@pytest.mark.parametrize("statement", ["DELETE FROM order_events", "TRUNCATE order_events"])
def test_no_entry_can_be_deleted(noted: Connection, statement: str) -> None:
    with pytest.raises(DatabaseError, match=r"order_events is append-only: (DELETE|TRUNCATE) refused"):
        noted.run(statement)


def test_the_functions_may_update_only_the_note(functions: Connection) -> None:
    functions.run("UPDATE order_events SET note = NULL WHERE cause = 'note'")
    for column in ("actor", "reason", "idempotency_key", "occurred_at"):
        with pytest.raises(DatabaseError, match="permission denied"):
            functions.run(f"UPDATE order_events SET {column} = NULL")
