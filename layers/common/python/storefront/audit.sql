-- The audit: returns each row that contradicts another one, with the broken rule. No rows: the data is consistent.
-- It changes nothing, reads one snapshot of the database, and blocks no other session. To run it:
--   psql "$DATABASE_URL" -f audit.sql
BEGIN READ ONLY;
-- A million orders take longer than a request may.
SET LOCAL statement_timeout = 0;

WITH
-- For each order and product: the quantity ordered, and the quantities that the stock movements took and returned.
order_stock AS (
    SELECT coalesce(item.order_id, moved.order_id) AS order_id,
           coalesce(item.product_id, moved.product_id) AS product_id,
           coalesce(item.quantity, 0) AS ordered,
           coalesce(moved.sold, 0) AS sold,
           coalesce(moved.restocked, 0) AS restocked,
           coalesce(moved.restocks, 0) AS restocks
      FROM order_items item
      FULL JOIN (SELECT m.order_id, m.product_id,
                        -sum(m.delta) FILTER (WHERE m.kind = 'sale') AS sold,
                        sum(m.delta) FILTER (WHERE m.kind = 'restock') AS restocked,
                        count(*) FILTER (WHERE m.kind = 'restock') AS restocks
                   FROM stock_movements m
                  WHERE m.order_id IS NOT NULL
                  GROUP BY m.order_id, m.product_id) moved
        ON (moved.order_id, moved.product_id) = (item.order_id, item.product_id)
),
-- Each event with the state in which the previous event of its order ended.
timeline AS (
    SELECT e.*,
           row_number() OVER whole = count(*) OVER (PARTITION BY e.order_id) AS is_last,
           lag(e.to_status) OVER whole AS previous_status,
           lag(e.to_payment_status) OVER whole AS previous_payment_status
      FROM order_events e
    WINDOW whole AS (PARTITION BY e.order_id ORDER BY e.id)
),
-- For each payment event: its entries in the timelines, and the last result that was not 'same_event'.
payment_entries AS (
    SELECT e.inbox_id,
           count(*) AS entries,
           count(*) FILTER (WHERE e.outcome = 'applied') AS applied,
           (array_agg(row(e.order_id, e.received_payment_status, e.outcome, e.reason)::text ORDER BY e.id DESC)
                FILTER (WHERE e.reason IS DISTINCT FROM 'same_event'))[1] AS last_result
      FROM order_events e
     WHERE e.inbox_id IS NOT NULL
     GROUP BY e.inbox_id
),
erased AS (
    SELECT o.*, (SELECT max(e.id) FROM order_events e WHERE e.order_id = o.id AND e.cause = 'erasure') AS last_erasure_id
      FROM orders o
     WHERE o.personal_data_erased_at IS NOT NULL
),
violations (rule, id, detail) AS (
    SELECT 'a product''s stock is the sum of its movements', coalesce(p.id, m.product_id),
           format('stock %s, sum of movements %s', p.quantity, coalesce(m.moved, 0))
      FROM products p
      FULL JOIN (SELECT product_id, sum(delta) AS moved FROM stock_movements GROUP BY product_id) m
        ON m.product_id = p.id
     WHERE p.quantity IS DISTINCT FROM coalesce(m.moved, 0)
    UNION ALL
    SELECT 'a product''s stock is not negative', p.id, format('stock %s', p.quantity)
      FROM products p
     WHERE p.quantity < 0
    UNION ALL
    SELECT 'a stock movement has the sum of the movements up to it', m.product_id,
           format('movement %s: quantity %s, sum of movements %s', m.id, m.quantity, m.moved)
      FROM (SELECT one.*, sum(one.delta) OVER (PARTITION BY one.product_id ORDER BY one.id) AS moved
              FROM stock_movements one) m
     -- NULL in movements of releases that did not store it.
     WHERE m.quantity <> m.moved
    UNION ALL
    SELECT 'an order''s total is the sum of its line items and its charges', coalesce(o.id, items.order_id),
           format('total %s, sum of line items %s, sum of charges %s', o.total_price, coalesce(items.total, 0),
                  coalesce(o.charged, 0))
      -- Without charges_total(), which the total was made with.
      FROM (SELECT placed.id, placed.total_price,
                   (SELECT sum((charge ->> 'amount')::numeric)
                      FROM jsonb_array_elements(placed.charges) AS listed(charge)) AS charged
              FROM orders placed) o
      FULL JOIN (SELECT order_id, sum(quantity * price_at_purchase) AS total FROM order_items GROUP BY order_id) items
        ON items.order_id = o.id
     WHERE o.total_price IS DISTINCT FROM coalesce(items.total, 0) + coalesce(o.charged, 0)
    UNION ALL
    SELECT 'each order has a number, and no other order has it', o.id, format('number %s', o.number)
      -- + 0, so that PostgreSQL does not read the numbers from the unique index, which can be corrupt.
      FROM (SELECT numbered.*, count(*) OVER (PARTITION BY numbered.number + 0) AS orders FROM orders numbered) o
     WHERE o.number IS NULL OR o.orders > 1
    UNION ALL
    SELECT 'an order is paid when it is placed if its total is 0, and no other order is', o.id,
           format('total %s, placed as %s', o.total_price, e.to_payment_status)
      FROM orders o
      JOIN order_events e ON e.order_id = o.id AND e.cause = 'placed'
     WHERE (e.to_payment_status = 'paid') <> (o.total_price = 0)
    UNION ALL
    SELECT 'an order took the stock of its line items once', s.order_id,
           format('product %s: ordered %s, taken %s', s.product_id, s.ordered, s.sold)
      FROM order_stock s
     WHERE s.sold <> s.ordered
    UNION ALL
    SELECT 'a canceled order returned its stock once, and no other order did', s.order_id,
           format('product %s: ordered %s, returned %s in %s movements, order status %s',
                  s.product_id, s.ordered, s.restocked, s.restocks, o.status)
      FROM order_stock s
      JOIN orders o ON o.id = s.order_id
     WHERE (s.restocked, s.restocks) <> (CASE WHEN o.status = 'canceled' THEN s.ordered ELSE 0 END,
                                         CASE WHEN o.status = 'canceled' AND s.ordered > 0 THEN 1 ELSE 0 END)
    UNION ALL
    SELECT 'the timeline of a canceled and paid order contains needs_refund', o.id, 'needs_refund is missing'
      FROM orders o
     WHERE o.status = 'canceled' AND o.payment_status = 'paid' AND o.total_price > 0
       AND NOT EXISTS (SELECT FROM order_events e WHERE e.order_id = o.id AND e.outcome = 'needs_refund')
    UNION ALL
    SELECT 'each order has a timeline', o.id, 'the order has no events'
      FROM orders o
     WHERE NOT EXISTS (SELECT FROM order_events e WHERE e.order_id = o.id)
    UNION ALL
    SELECT 'each event starts in the state in which the previous event ended', t.order_id,
           format('event %s starts in %s and %s, the previous event ended in %s and %s', t.id, t.from_status,
                  t.from_payment_status, t.previous_status, t.previous_payment_status)
      FROM timeline t
     WHERE (t.from_status, t.from_payment_status) IS DISTINCT FROM (t.previous_status, t.previous_payment_status)
    UNION ALL
    SELECT 'each event changes only what its cause allows', e.order_id,
           format('event %s, %s: from %s and %s to %s and %s', e.id, e.cause, e.from_status, e.from_payment_status,
                  e.to_status, e.to_payment_status)
      FROM order_events e
     WHERE (e.cause = 'placed') <> (e.from_status IS NULL)
        OR (e.from_status IS NULL) <> (e.from_payment_status IS NULL)
        OR e.cause = 'payment_event' AND e.inbox_id IS NULL
        OR CASE e.cause
               WHEN 'placed' THEN e.to_status = 'pending' AND e.to_payment_status IN ('unpaid', 'paid')
               WHEN 'status_change' THEN e.from_status = 'pending' AND e.to_status <> 'pending'
                   AND e.to_payment_status = e.from_payment_status
               WHEN 'expiry' THEN e.from_status = 'pending' AND e.to_status = 'canceled'
                   AND e.to_payment_status = e.from_payment_status AND e.from_payment_status <> 'paid'
               -- Among them a refund and a dispute: neither changes the order.
               ELSE (e.to_status, e.to_payment_status) = (e.from_status, e.from_payment_status)
                   OR e.cause IN ('payment_event', 'replay') AND e.outcome = 'applied'
                       AND e.to_payment_status = e.received_payment_status AND e.to_status = e.from_status
                       AND e.from_status = 'pending' AND e.from_payment_status <> 'paid'
           END IS NOT TRUE
        OR e.outcome = 'applied' AND e.received_payment_status <> e.to_payment_status
    UNION ALL
    SELECT 'a timeline ends in the current state of its order', t.order_id,
           format('the timeline ends in %s and %s, the order is in %s and %s',
                  t.to_status, t.to_payment_status, o.status, o.payment_status)
      FROM timeline t
      LEFT JOIN orders o ON o.id = t.order_id
     WHERE t.is_last AND (t.to_status, t.to_payment_status) IS DISTINCT FROM (o.status, o.payment_status)
    UNION ALL
    SELECT 'an idempotency key places one order', e.order_id,
           format('the key of this order placed %s before', e.last_order_id)
      FROM (SELECT placed.*, lag(placed.occurred_at) OVER same_key AS last_placed_at,
                   lag(placed.order_id) OVER same_key AS last_order_id
              FROM order_events placed
             WHERE placed.cause = 'placed' AND placed.idempotency_key IS NOT NULL
            WINDOW same_key AS (PARTITION BY placed.actor, placed.idempotency_key
                                ORDER BY placed.occurred_at, placed.id)) e
     -- The lifetime of a key starts with its request. The event may be written a few seconds later, after waiting.
     WHERE e.occurred_at < e.last_placed_at + idempotency_key_lifetime() - interval '1 minute'
    UNION ALL
    SELECT 'the response of an idempotency key is the order that the key placed', NULL,
           -- A key has no ID, and its caller chose the text.
           format('key of %s', rfc3339(k.created_at))
      FROM idempotency_keys k
     WHERE k.operation = 'place_order'
       AND NOT EXISTS (SELECT FROM order_events e
                        WHERE e.cause = 'placed' AND e.actor = k.caller AND e.idempotency_key = k.key
                          -- Searched as text: parsing a body that is not JSON would stop the audit.
                          AND strpos(k.body, e.order_id::text) > 0)
    UNION ALL
    SELECT 'an applied payment event was applied once, and no other event was', p.id,
           format('outcome %s, applied %s times', p.outcome, coalesce(found.applied, 0))
      FROM payment_events p
      LEFT JOIN payment_entries found ON found.inbox_id = p.id
     WHERE coalesce(found.applied, 0) <> CASE WHEN p.outcome = 'applied' THEN 1 ELSE 0 END
    UNION ALL
    SELECT 'a payment event is in the timeline of its order, with its outcome', p.id,
           format('the event is %s, with %s attempts; the timeline has %s entries, the last one is %s',
                  row(p.order_id, p.payment_status, p.outcome, p.reason), p.attempts, found.entries,
                  found.last_result)
      FROM payment_events p
      LEFT JOIN payment_entries found ON found.inbox_id = p.id
     WHERE p.outcome <> 'unknown_order' AND p.reader_reason IS DISTINCT FROM 'type_not_ours'
       AND EXISTS (SELECT FROM orders o WHERE o.id = p.order_id)
       -- An event that waited for its payment, or for the amount of its refund, has one entry more.
       AND (found.entries > p.attempts + CASE WHEN p.payment_status IS NULL THEN 1 ELSE 0 END
            OR found.last_result IS DISTINCT FROM row(p.order_id, p.payment_status, p.outcome, p.reason)::text)
    UNION ALL
    SELECT 'at most one content under an event ID reports a payment', p.id,
           format('content %s, scheme %s', p.variant, p.scheme)
      FROM payment_events p
     WHERE p.variant > 0 AND reports_payment(p) AND is_conflict(p)
    UNION ALL
    SELECT 'an unreadable payment event has an error, and no other event does', p.id,
           format('outcome %s, %s', p.outcome, CASE WHEN p.error IS NULL THEN 'no error' ELSE 'an error' END)
      FROM payment_events p
     WHERE (p.outcome = 'unreadable') <> (p.error IS NOT NULL)
    UNION ALL
    -- In other orders, the column has no effect. Release 0.2.0, after a rollback to it, does not clear it.
    SELECT 'an unpaid pending order is held while its payment events say so', o.id,
           format('held since %s, the payment events say %s', o.held_since, payment_hold(o.id))
      FROM orders o
     WHERE o.status = 'pending' AND o.payment_status <> 'paid' AND o.held_since IS DISTINCT FROM payment_hold(o.id)
    UNION ALL
    SELECT 'an order has no contact details, note and metadata after its erasure', e.id, 'personal data is left'
      FROM erased e
     WHERE num_nonnulls(e.email, e.shipping_address, e.billing_address, e.note, e.metadata) > 0
    UNION ALL
    SELECT 'a note has no text after the erasure of its order', e.id, format('event %s has a text', noted.id)
      FROM erased e
      JOIN order_events noted ON noted.order_id = e.id AND noted.note IS NOT NULL AND noted.id < e.last_erasure_id
    UNION ALL
    SELECT DISTINCT 'a payment event has no body after the erasure of its order', e.id, format('payment event %s has a body', p.id)
      FROM erased e
      JOIN payment_events named ON named.order_id = e.id
      JOIN payment_events p ON (p.event_id, p.scheme) = (named.event_id, named.scheme) AND p.body IS NOT NULL
    UNION ALL
    SELECT 'only a note has a text', e.order_id, format('event %s, %s, has a text', e.id, e.cause)
      FROM order_events e
     WHERE e.note IS NOT NULL AND e.cause <> 'note'
    UNION ALL
    SELECT 'a stored response has no personal data after the erasure of its order', e.id,
           format('response of the key of %s', rfc3339(k.created_at))
      FROM erased e
      JOIN order_events caused ON caused.order_id = e.id AND caused.id < e.last_erasure_id
      JOIN idempotency_keys k ON k.caller = caused.actor AND k.key = caused.idempotency_key
       AND k.operation = CASE caused.cause WHEN 'placed' THEN 'place_order' WHEN 'note' THEN 'add_order_note' END
       AND k.created_at < caused.occurred_at + idempotency_key_lifetime()
     WHERE k.body <> erased_response(k.body)
)
SELECT rule, id::text AS id, detail FROM violations ORDER BY rule, id;

COMMIT;
