-- The audit: every row that contradicts another one, with the rule it breaks. No row means that the books are right.
-- It reads and changes nothing, sees the database at one moment, and makes nobody wait:
--   psql "$DATABASE_URL" -f audit.sql
BEGIN READ ONLY;
-- A million orders take longer than a request may.
SET LOCAL statement_timeout = 0;

WITH
-- What each order did to the stock of each product, beside what its lines and its status say that it should have.
order_stock AS (
    SELECT coalesce(line.order_id, moved.order_id) AS order_id,
           coalesce(line.product_id, moved.product_id) AS product_id,
           coalesce(line.quantity, 0) AS ordered,
           coalesce(moved.sold, 0) AS sold,
           coalesce(moved.restocked, 0) AS restocked,
           coalesce(moved.restocks, 0) AS restocks
      FROM order_items line
      FULL JOIN (SELECT m.order_id, m.product_id,
                        -sum(m.delta) FILTER (WHERE m.kind = 'sale') AS sold,
                        sum(m.delta) FILTER (WHERE m.kind = 'restock') AS restocked,
                        count(*) FILTER (WHERE m.kind = 'restock') AS restocks
                   FROM stock_movements m
                  WHERE m.order_id IS NOT NULL
                  GROUP BY m.order_id, m.product_id) moved
        ON (moved.order_id, moved.product_id) = (line.order_id, line.product_id)
),
-- Each event beside the one before it.
timeline AS (
    SELECT e.*,
           row_number() OVER whole = count(*) OVER (PARTITION BY e.order_id) AS is_last,
           lag(e.to_status) OVER whole AS previous_status,
           lag(e.to_payment_status) OVER whole AS previous_payment_status
      FROM order_events e
    WINDOW whole AS (PARTITION BY e.order_id ORDER BY e.id)
),
-- What the timelines know of each payment event of the inbox: the last time that it was not the same event again.
payment_lines AS (
    SELECT e.inbox_id,
           count(*) AS lines,
           count(*) FILTER (WHERE e.outcome = 'applied') AS applied,
           (array_agg(row(e.order_id, e.received_payment_status, e.outcome, e.reason)::text ORDER BY e.id DESC)
                FILTER (WHERE e.reason IS DISTINCT FROM 'same_event'))[1] AS came_to
      FROM order_events e
     WHERE e.inbox_id IS NOT NULL
     GROUP BY e.inbox_id
),
violations (rule, id, detail) AS (
    SELECT 'stock is the sum of its movements', coalesce(p.id, m.product_id),
           format('%s on hand, %s moved', p.quantity, coalesce(m.moved, 0))
      FROM products p
      FULL JOIN (SELECT product_id, sum(delta) AS moved FROM stock_movements GROUP BY product_id) m
        ON m.product_id = p.id
     WHERE p.quantity IS DISTINCT FROM coalesce(m.moved, 0)
    UNION ALL
    SELECT 'no stock is below zero', p.id, format('%s on hand', p.quantity)
      FROM products p
     WHERE p.quantity < 0
    UNION ALL
    SELECT 'an order''s total is the sum of its lines', coalesce(o.id, lines.order_id),
           format('%s in total, %s in lines', o.total_price, coalesce(lines.total, 0))
      FROM orders o
      FULL JOIN (SELECT order_id, sum(quantity * price_at_purchase) AS total FROM order_items GROUP BY order_id) lines
        ON lines.order_id = o.id
     WHERE o.total_price IS DISTINCT FROM coalesce(lines.total, 0)
    UNION ALL
    SELECT 'an order took the stock of its lines, once', s.order_id,
           format('product %s: %s ordered, %s taken', s.product_id, s.ordered, s.sold)
      FROM order_stock s
     WHERE s.sold <> s.ordered
    UNION ALL
    SELECT 'a canceled order, and no other, gave its stock back, once', s.order_id,
           format('product %s: %s ordered, %s given back in %s movements, the order is %s',
                  s.product_id, s.ordered, s.restocked, s.restocks, o.status)
      FROM order_stock s
      JOIN orders o ON o.id = s.order_id
     WHERE (s.restocked, s.restocks) <> (CASE WHEN o.status = 'canceled' THEN s.ordered ELSE 0 END,
                                         CASE WHEN o.status = 'canceled' AND s.ordered > 0 THEN 1 ELSE 0 END)
    UNION ALL
    SELECT 'an order that is canceled and paid is known to need a refund', o.id, 'nothing in its timeline says so'
      FROM orders o
     WHERE o.status = 'canceled' AND o.payment_status = 'paid'
       AND NOT EXISTS (SELECT FROM order_events e WHERE e.order_id = o.id AND e.outcome = 'needs_refund')
    UNION ALL
    SELECT 'an order''s timeline begins when it is placed', o.id, 'it has no events'
      FROM orders o
     WHERE NOT EXISTS (SELECT FROM order_events e WHERE e.order_id = o.id)
    UNION ALL
    SELECT 'each event of a timeline starts where the one before ended', t.order_id,
           format('event %s: from %s and %s after %s and %s', t.id, t.from_status, t.from_payment_status,
                  t.previous_status, t.previous_payment_status)
      FROM timeline t
     WHERE (t.from_status, t.from_payment_status) IS DISTINCT FROM (t.previous_status, t.previous_payment_status)
    UNION ALL
    SELECT 'each event changes what its cause can change', e.order_id,
           format('event %s: %s from %s and %s to %s and %s', e.id, e.cause, e.from_status, e.from_payment_status,
                  e.to_status, e.to_payment_status)
      FROM order_events e
     WHERE CASE e.cause
               WHEN 'placed' THEN e.to_status = 'pending' AND e.to_payment_status = 'unpaid'
               WHEN 'status_change' THEN e.from_status = 'pending' AND e.to_status <> 'pending'
                   AND e.to_payment_status = e.from_payment_status
               WHEN 'expiry' THEN e.from_status = 'pending' AND e.to_status = 'canceled'
                   AND e.to_payment_status = e.from_payment_status AND e.from_payment_status <> 'paid'
               -- Its deliveries, and the replays of it.
               ELSE e.to_status = e.from_status
                   AND e.to_payment_status = CASE WHEN e.outcome = 'applied' THEN e.received_payment_status
                                                  ELSE e.from_payment_status END
                   AND (e.outcome <> 'applied' OR e.from_status = 'pending' AND e.from_payment_status <> 'paid')
           END IS NOT TRUE
    UNION ALL
    SELECT 'a timeline ends in the order''s state', t.order_id,
           format('ends in %s and %s, the order is %s and %s',
                  t.to_status, t.to_payment_status, o.status, o.payment_status)
      FROM timeline t
      LEFT JOIN orders o ON o.id = t.order_id
     WHERE t.is_last AND (t.to_status, t.to_payment_status) IS DISTINCT FROM (o.status, o.payment_status)
    UNION ALL
    SELECT 'one key places one order', e.order_id, format('key %s of %s placed another one', e.idempotency_key, e.actor)
      FROM (SELECT placed.*,
                   lag(placed.occurred_at) OVER (PARTITION BY placed.actor, placed.idempotency_key
                                                 ORDER BY placed.occurred_at, placed.id) AS last_placed_at
              FROM order_events placed
             WHERE placed.cause = 'placed' AND placed.idempotency_key IS NOT NULL) e
     -- A key's time begins with the request, and an event is written a few seconds of waiting later.
     WHERE e.occurred_at < e.last_placed_at + idempotency_key_lifetime() - interval '1 minute'
    UNION ALL
    SELECT 'a key''s answer is the order that it placed', NULL, format('key %s of %s', k.key, k.caller)
      FROM idempotency_keys k
     WHERE k.operation = 'place_order'
       AND NOT EXISTS (SELECT FROM order_events e
                        WHERE e.cause = 'placed' AND e.actor = k.caller AND e.idempotency_key = k.key
                          -- Searched and not parsed: what is no JSON would end the audit.
                          AND strpos(k.body, e.order_id::text) > 0)
    UNION ALL
    SELECT 'a payment event that was applied has its effect, once', p.id,
           format('event %s is %s, and was applied %s times', p.event_id, p.outcome, coalesce(l.applied, 0))
      FROM payment_events p
      LEFT JOIN payment_lines l ON l.inbox_id = p.id
     WHERE coalesce(l.applied, 0) <> CASE WHEN p.outcome = 'applied' THEN 1 ELSE 0 END
    UNION ALL
    SELECT 'a payment event is in its order''s timeline with what it came to', p.id,
           format('event %s is %s, its %s attempts left %s lines, which say %s',
                  p.event_id, row(p.order_id, p.payment_status, p.outcome, p.reason), p.attempts, l.lines, l.came_to)
      FROM payment_events p
      LEFT JOIN payment_lines l ON l.inbox_id = p.id
     WHERE p.outcome <> 'unknown_order'
       AND EXISTS (SELECT FROM orders o WHERE o.id = p.order_id)
       AND (l.lines > p.attempts
            OR l.came_to IS DISTINCT FROM row(p.order_id, p.payment_status, p.outcome, p.reason)::text)
)
SELECT rule, id::text AS id, detail FROM violations ORDER BY rule, id;

COMMIT;
