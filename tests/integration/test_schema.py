"""docs/reference/schema.sql shows the schema that the migrations create."""

import pytest
from pg8000.native import Connection

from local.schema import SCHEMA, schema

WRITTEN_ON = "18"
"""The version of PostgreSQL that `make schema` uses. Other versions print some definitions differently."""


def test_the_schema_file_is_up_to_date(database: Connection) -> None:
    [[version]] = database.run("SHOW server_version")
    if not version.startswith(WRITTEN_ON):
        pytest.skip(f"PostgreSQL {version} prints some definitions differently")
    assert SCHEMA.read_text() == schema(database), "run `make schema`"


def test_each_table_type_view_and_index_has_a_comment(database: Connection) -> None:
    undescribed = database.run("""
        SELECT relname::text FROM pg_class c
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'i')
           AND obj_description(oid, 'pg_class') IS NULL
           AND NOT EXISTS (SELECT FROM pg_index WHERE indexrelid = c.oid AND indisprimary)
        UNION ALL
        SELECT typname::text FROM pg_type t
         WHERE typnamespace = 'public'::regnamespace AND typtype = 'e' AND obj_description(oid, 'pg_type') IS NULL
    """)
    assert undescribed == []


def test_each_value_of_an_enum_has_a_comment(database: Connection) -> None:
    undescribed = database.run(r"""
        SELECT enumtypid::regtype::text, enumlabel::text FROM pg_enum
         WHERE obj_description(enumtypid, 'pg_type') !~ ('(?n)^' || enumlabel || ': ')
    """)
    assert undescribed == []
