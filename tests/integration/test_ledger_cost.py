"""A page of a stock ledger costs the same at any depth."""

import json
import re

import pytest
from pg8000.native import Connection, literal

from tests.api_client import ApiClient

pytestmark = pytest.mark.not_behind_a_pooler("the measured calls need one session")

ROWS = 20_000
MAX_BLOCKS = 8
"""The indexes and tables of the product and of its movements need 5."""

FILL = """
INSERT INTO stock_movements (product_id, kind, delta, quantity, reason, actor)
SELECT p.id, 'adjustment', 1, 10 + n, 'counted', 'test' FROM products p, generate_series(1, {}) n ORDER BY n"""


@pytest.fixture
def product_id(api: ApiClient, database: Connection) -> str:
    """A product with many movements."""
    product_id = str(api.create_product(quantity=10)["id"])
    database.run(FILL.format(ROWS))
    database.run("UPDATE products SET quantity = :quantity", quantity=10 + ROWS)
    database.run("VACUUM ANALYZE stock_movements")
    return product_id


def blocks(database: Connection, product_id: str, after: int | None) -> int:
    """The blocks that PostgreSQL reads for a page, once its plans are cached."""
    request = {"id": product_id, "page_size": 20, "after": after and [str(after)]}
    call = f"SELECT * FROM list_stock_movements({literal(json.dumps(request))})"
    plans = ["\n".join(line for [line] in database.run(f"EXPLAIN (ANALYZE, BUFFERS) {call}") or []) for _ in range(7)]
    # The first group is that of the execution. A later one is that of the planning.
    hits = re.search(r"Buffers: shared hit=(\d+)", plans[-1])
    assert hits is not None
    return int(hits[1])


def test_a_page_reads_the_same_blocks_at_any_depth(database: Connection, product_id: str) -> None:
    counts = [blocks(database, product_id, after) for after in (None, ROWS, ROWS // 2, 30)]
    assert max(counts) <= MAX_BLOCKS, counts


def test_only_a_page_of_an_earlier_release_reads_what_came_before(database: Connection, product_id: str) -> None:
    database.run("ALTER TABLE stock_movements DISABLE TRIGGER USER")
    database.run("UPDATE stock_movements SET quantity = NULL WHERE id <= :half", half=ROWS // 2)
    database.run("VACUUM ANALYZE stock_movements")
    assert blocks(database, product_id, ROWS // 2) > MAX_BLOCKS
    # The page has a newer movement with its stock, so the others are computed from it.
    for after in (ROWS, ROWS // 2 + 5):
        assert blocks(database, product_id, after) <= MAX_BLOCKS
