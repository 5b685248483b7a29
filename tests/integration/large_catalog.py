"""A large catalog whose names make searches slow."""

from pg8000.native import Connection

# Each sort order is that of the number n. Each name has 36 words that all other names have, too. The other words are in
# more products than are ever sorted, all of them at one end of the sort order, or in just as many as are sorted.
# The rows are stored in another order than any sort order, so that each of them is in another block.
_FILL = """
ALTER TABLE products DISABLE TRIGGER ALL;
INSERT INTO products (id, name, folded_name, name_words, price, quantity, created_at)
SELECT ('a0000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, name, name, string_to_array(name, ' '),
       n * 0.01, n / 10, '2026-01-01T00:00:00Z'::timestamptz + n * interval '1 second'
  FROM generate_series(1, {products}) n,
       LATERAL (SELECT concat_ws(' ', lpad(n::text, 7, '0'), 'a b c d e f g h i j k l m n o p q r s t u v w x y z',
           'common', CASE WHEN n <= 30000 THEN 'first' WHEN n > {products} - 30000 THEN 'last' END,
           CASE WHEN n % ({products} / 10000) = 0 THEN 'many' END,
           CASE WHEN n % ({products} / 500) = 0 THEN 'rare' END)
       ) named (name)
 ORDER BY hashint4(n);
ALTER TABLE products ENABLE TRIGGER ALL;
ALTER TABLE products ENABLE ALWAYS TRIGGER products_fold_name, ENABLE ALWAYS TRIGGER products_name_words"""


def fill_catalog(connection: Connection, products: int) -> None:
    """Add products, of which at least 10,000 are necessary. Their IDs end with their numbers, from 1 on."""
    # To build an index of all rows takes a fraction of the time of adding each row to it.
    found = (
        "SELECT indexname::text, indexdef FROM pg_indexes WHERE tablename = 'products' AND indexname <> 'products_pkey'"
    )
    indexes = connection.run(found) or []
    for name, _ in indexes:
        connection.run(f"DROP INDEX {name}")
    connection.run(_FILL.format(products=products))
    for _, definition in indexes:
        connection.run(definition)
    connection.run("VACUUM ANALYZE products")


def product_id(number: int) -> str:
    return f"a0000000-0000-4000-8000-{number:012d}"
