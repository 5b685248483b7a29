"""The rows of a database as text, to see what a request changed."""

from collections import Counter

from pg8000.native import Connection

Changes = tuple[str, ...]
"""The rows that were added (+) or removed (-), as text."""

TEXTS = {
    "products": "concat(name, ': ', quantity, ' at ', price, CASE WHEN deleted_at IS NOT NULL THEN ', deleted' END)",
    "stock_movements": "format('%s %s', kind, delta)",
    "orders": """format('order of %s, %s, %s%s',
                        (SELECT string_agg(format('%s %s', quantity, product_name), ', ')
                           FROM order_items WHERE order_id = orders.id), status, payment_status,
                        concat(CASE WHEN paid_amount > 0 THEN format(', received %s', paid_amount) END,
                               CASE WHEN refunded_amount > 0 THEN format(', returned %s', refunded_amount) END,
                               CASE WHEN lost_amount > 0 THEN format(', lost %s', lost_amount) END,
                               CASE WHEN refund_status <> 'none' THEN format(', refund %s', refund_status) END,
                               CASE WHEN held_since IS NOT NULL THEN ', held' END,
                               CASE WHEN email IS NOT NULL THEN ', with contact' END))""",
    "payments": """concat_ws(' ', 'payment', coalesce(amount::text, 'not reported'), reason,
                             CASE WHEN NOT is_settled THEN 'to settle' END,
                             CASE WHEN reported_refunds > 0 THEN format('with %s of refunds', reported_refunds) END)""",
    "refunds": "concat_ws(' ', 'refund', amount, status, processor_reference)",
    "refund_lines": "concat_ws(' ', 'refund of units', quantity, CASE WHEN restock THEN 'with restock' END)",
    "disputes": "concat_ws(' ', 'dispute', status, amount)",
    "acknowledgements": "concat_ws(' ', 'acknowledgement', kind, CASE WHEN note IS NOT NULL THEN 'with text' END)",
    "order_events": """concat_ws(' ', 'event', cause, outcome, refund_status,
                                 CASE WHEN note IS NOT NULL THEN 'with text' END)""",
    "idempotency_keys": "format('key %s', operation)",
    "payment_events": """concat_ws(' ', 'inbox', payment_status, outcome, attempts,
                                   CASE WHEN body IS NULL THEN 'without body' END)""",
}
"""The text of a row, by table. Any other table has its name and its values as the text."""

LEFT_OUT = {"order_items", "schema_history", "ignored_events"}
"""Line items are in the text of their order. No request changes the history of the schema. A number of events of a day
depends on the requests before."""


def snapshot(database: Connection) -> Counter[str]:
    """All rows as text, without IDs and timestamps, so that the runs of a flow can be compared."""
    texts = {**default_texts(database), **TEXTS}
    rows = database.run(
        " UNION ALL ".join(f"SELECT {text} FROM {table}" for table, text in texts.items() if table not in LEFT_OUT)
    )
    return Counter(line for [line] in rows or [])


def default_texts(database: Connection) -> dict[str, str]:
    """The name of each table and its columns, except IDs and timestamps, as an SQL expression."""
    rows = database.run(
        """SELECT table_name::text,
                  format('concat_ws('' '', %L, %s)', table_name, string_agg(quote_ident(column_name), ', '
                                                                            ORDER BY ordinal_position))
             FROM information_schema.tables JOIN information_schema.columns USING (table_schema, table_name)
            WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND is_identity = 'NO'
              AND data_type NOT IN ('uuid', 'timestamp with time zone')
            GROUP BY table_name"""
    )
    return dict(rows or [])


def changes(before: Counter[str], after: Counter[str]) -> Changes:
    gone, new = (before - after).elements(), (after - before).elements()
    return tuple(sorted([*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]))


def applied(before: Counter[str], *parts: Changes) -> Counter[str]:
    """The rows after these changes."""
    after = before.copy()
    for change in (change for part in parts for change in part):
        after[change[2:]] += 1 if change.startswith("+") else -1
    return +after
