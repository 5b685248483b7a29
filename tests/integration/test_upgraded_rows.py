"""An upgrade from release 0.2.0 completes the rows of that release, and rewrites no large table."""

import json

from pg8000.native import Connection

from storefront.migrate import migrate
from tests.integration.races import Call
from tests.stripe_events import REFERENCES

LARGE = ("orders", "order_items", "order_events", "stock_movements", "payment_events", "idempotency_keys")


def test_no_migration_rewrites_a_large_table(earlier_database: Connection) -> None:
    files = f"SELECT array_agg(pg_relation_filenode(name::regclass)) FROM unnest(ARRAY{list(LARGE)}) name"
    before = earlier_database.run(files)
    migrate(earlier_database)
    assert earlier_database.run(files) == before


def test_products_from_before_names_were_folded_are_found_sorted_and_changed(
    earlier_database: Connection,
) -> None:
    names = ["Zebra", "apple", "cre\u0300me", "\u3164"]
    earlier_database.run(
        "INSERT INTO products (name, price, quantity) SELECT name, 1, 9 FROM unnest(CAST(:names AS text[])) name",
        names=names,
    )
    assert "0002_names.sql" in migrate(earlier_database)

    def listed(**request: str) -> list[str]:
        request = {"page": "1", "page_size": "9", "sort": "name", **request}
        [[body]] = earlier_database.run("SELECT body FROM list_products(:request)", request=json.dumps(request))
        return [product["name"] for product in json.loads(body.partition("\n")[2])]

    assert listed() == ["\u3164", "apple", "cre\u0300me", "Zebra"]
    assert listed(q="CRÈME") == ["cre\u0300me"]
    [[blank]] = earlier_database.run("SELECT id FROM products WHERE name = U&'\\3164'")
    for call in (
        Call("update_product", {"id": str(blank), "changes": {"price": "2.00"}}),
        Call("adjust_stock", {"id": str(blank), "delta": 1, "reason": "counted", "actor": "test"}),
    ):
        assert call.run(earlier_database) in ("updated", "adjusted")


def test_money_that_needed_review_before_the_upgrade_holds_its_order(earlier_database: Connection) -> None:
    earlier_database.run(
        """WITH o AS (INSERT INTO orders (customer_id, status, total_price)
                      VALUES (1, 'pending', 1.00), (2, 'completed', 1.00) RETURNING id)
           INSERT INTO payment_events (scheme, provider, event_id, order_id, payment_status, body, outcome, reason)
           SELECT 'stripe', 'stripe', o.id, o.id, 'paid', '', 'needs_review', 'amount_differs' FROM o"""
    )
    migrate(earlier_database)
    assert earlier_database.run("SELECT customer_id, held_since IS NOT NULL FROM orders ORDER BY 1") == [
        [1, True],
        [2, False],
    ]


def test_contents_that_report_nothing_are_no_conflict_after_the_upgrade(earlier_database: Connection) -> None:
    earlier_database.run(
        """INSERT INTO payment_events (scheme, provider, event_id, variant, payment_status, body, outcome, reason)
           SELECT 'stripe', 'stripe', 'evt_00000000000000', row_number() OVER (), status, '',
                  'needs_review', 'other_content'
             FROM unnest(ARRAY[NULL, 'paid']::payment_status[]) status"""
    )
    migrate(earlier_database)
    assert earlier_database.run("SELECT outcome::text, reason FROM payment_events ORDER BY variant") == [
        ["ignored", "type_not_ours"],
        ["needs_review", "other_content"],
    ]


ODD_BODIES = [
    *("", "{", "null", "7", '"x"', "[]", "{}", "bm8gdGV4dA==", "[" * 100_000, "\ufeff{}", '{"data": NaN}'),
    *('{"data": {"object": []}}', '{"data": {"object": {"id": {}}}}', '{"data": {"object": {"id": null}}}'),
    *('{"data": {"object": {"id": "\\ud83d"}}}', '{"data": {"object": {"id": "pi\\u0000"}}}'),
]
# Characters that PostgreSQL cannot store, and texts that only look like them.
DESCRIPTIONS = [
    *(r"\u0000", r"\ud83d", r"\uDE00", r"\\\u0000", r"\ud83d\u0000", r"\u0000\u0000x\uD83D", r"\ud83d\ude00"),
    *(r"\\u0000", r"\\\\ud83d", r"\\\\\ud83d", r"\\\\\\\\", r"\\" * 100_000),
]


def test_the_references_in_the_bodies_of_earlier_events_are_stored_in_columns(earlier_database: Connection) -> None:
    described = [f'{{"data": {{"object": {{"id": "pi_1", "description": "{text}"}}}}}}' for text in DESCRIPTIONS]
    sent = [(type_, json.dumps({"data": {"object": about}})) for type_, about, _, _ in REFERENCES]
    sent += [("payment_intent.succeeded", body) for body in described]
    for n, (type_, body) in enumerate([*sent, *(("payment_intent.succeeded", body) for body in ODD_BODIES)]):
        earlier_database.run(
            """INSERT INTO payment_events (scheme, provider, event_id, type, body, outcome, reason)
               VALUES ('stripe', 'stripe', lpad(:n, 20, '0'), :type, :body, 'ignored', 'type_not_ours')""",
            n=str(n),
            type=type_,
            body=body,
        )
    earlier_database.run(
        """INSERT INTO payment_events (scheme, provider, event_id, type, body, outcome, reason)
           SELECT scheme, 'storefront', 'native', type, body, outcome, reason FROM payment_events LIMIT 1"""
    )
    migrate(earlier_database)
    stored = earlier_database.run(
        "SELECT payment_reference, object_reference FROM payment_events WHERE event_id <> 'native' ORDER BY event_id"
    )
    # An event whose object has no ID stays as it was.
    read = [[payment if about else None, about] for _, _, payment, about in REFERENCES]
    read += [["pi_1", "pi_1"]] * len(DESCRIPTIONS)
    assert stored == read + [[None, None]] * len(ODD_BODIES)
    native = "SELECT object_reference FROM payment_events WHERE event_id = 'native'"
    assert earlier_database.run(native) == [[None]]


def found(connection: Connection, q: str) -> list[str]:
    """The names of the products that a search finds."""
    request = {"page": 1, "page_size": 9, "sort": "name", "q": q}
    [[body]] = connection.run("SELECT body FROM list_products(:request)", request=json.dumps(request))
    return [product["name"] for product in json.loads(body.partition("\n")[2])]


def test_the_upgrade_stores_the_words_of_earlier_names(earlier_database: Connection) -> None:
    earlier_database.run(
        "INSERT INTO products (name, price, quantity) SELECT 'Green Tea ' || n, 1, 9 FROM generate_series(1, 1200) n"
    )
    assert "0019_products_without_words.sql" in migrate(earlier_database)
    differing = "SELECT count(*) FROM products WHERE name_words IS DISTINCT FROM words(name)"
    assert earlier_database.run(differing) == [[0]]
    assert earlier_database.run("SELECT to_regclass('products_without_words')") == [[None]]
    assert found(earlier_database, "tea 1200") == ["Green Tea 1200"]


def test_a_product_is_found_before_the_upgrade_has_stored_its_words(earlier_database: Connection) -> None:
    earlier_database.run("INSERT INTO products (name, price, quantity) VALUES ('Green Tea', 1, 9)")
    migrate(earlier_database)
    earlier_database.run("UPDATE products SET name_words = NULL")
    assert found(earlier_database, "TEA") == ["Green Tea"]
    # A rename stores the words, by whichever release it is made.
    earlier_database.run("UPDATE products SET name = 'Black Coffee'")
    assert earlier_database.run("SELECT name_words FROM products") == [[["black", "coffee"]]]
    assert found(earlier_database, "tea") == []
