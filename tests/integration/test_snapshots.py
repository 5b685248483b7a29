"""The snapshots that the tests of crashes compare."""

from pg8000.native import Connection

from tests.integration.snapshots import LEFT_OUT, TEXTS, changes, default_texts, snapshot


def test_a_snapshot_contains_the_rows_of_a_new_table(database: Connection) -> None:
    database.run("""
        CREATE TABLE reviews (
            id bigint GENERATED ALWAYS AS IDENTITY, product_id uuid, stars integer, text text, note text,
            created_at timestamptz DEFAULT now()
        )
    """)
    before = snapshot(database)
    database.run("INSERT INTO reviews (product_id, stars, text) VALUES (gen_random_uuid(), 5, 'Nice')")
    assert changes(before, snapshot(database)) == ("+ reviews 5 Nice",)


def test_the_lists_of_tables_name_only_tables_of_the_schema(database: Connection) -> None:
    assert TEXTS.keys() | LEFT_OUT == default_texts(database).keys()
