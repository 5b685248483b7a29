"""The rows of a database as text, to see what a request changed."""

from collections import Counter

from pg8000.native import Connection

Changes = tuple[str, ...]
"""The rows that were added (+) or removed (-), as text."""


def snapshot(database: Connection) -> Counter[str]:
    """All rows as text, without IDs, so that the runs of a flow can be compared."""
    rows = database.run("""
        SELECT concat(name, ': ', quantity, ' at ', price, CASE WHEN deleted_at IS NOT NULL THEN ', deleted' END)
          FROM products
        UNION ALL SELECT format('%s %s', kind, delta) FROM stock_movements
        UNION ALL SELECT format('order of %s, %s, %s',
                                (SELECT string_agg(format('%s %s', quantity, product_name), ', ')
                                   FROM order_items WHERE order_id = o.id), o.status, o.payment_status)
          FROM orders o
        UNION ALL SELECT concat_ws(' ', 'event', cause, outcome) FROM order_events
        UNION ALL SELECT format('key %s', operation) FROM idempotency_keys
        UNION ALL SELECT concat_ws(' ', 'inbox', payment_status, outcome, attempts) FROM payment_events
    """)
    return Counter(line for [line] in rows or [])


def changes(before: Counter[str], after: Counter[str]) -> Changes:
    gone, new = (before - after).elements(), (after - before).elements()
    return tuple(sorted([*(f"- {line}" for line in gone), *(f"+ {line}" for line in new)]))
