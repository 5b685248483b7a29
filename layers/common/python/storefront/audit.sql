-- The audit: returns each row that contradicts another one, with the broken rule. No rows: the data is consistent.
-- It changes nothing, reads one snapshot of the database, and blocks no other session. To run it:
--   psql "$DATABASE_URL" -f audit.sql
BEGIN READ ONLY;
-- A million orders take longer than a request may.
SET LOCAL statement_timeout = 0;

WITH
-- For each order and product: the quantity ordered, the quantities that the stock movements took and that a
-- cancellation restocked, and the quantity that refunds returned.
order_stock AS (
    SELECT coalesce(item.order_id, moved.order_id) AS order_id,
           coalesce(item.product_id, moved.product_id) AS product_id,
           coalesce(item.quantity, 0) AS ordered,
           coalesce(moved.sold, 0) AS sold,
           coalesce(moved.restocked, 0) AS restocked,
           coalesce(moved.restocks, 0) AS restocks,
           coalesce((SELECT sum(l.quantity) FROM refund_lines l WHERE l.order_item_id = item.id AND l.restock), 0)
               AS returned
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
-- For each payment: the sums of its refunds and disputes.
payment_sums AS (
    SELECT p.*,
           coalesce(sum(r.amount) FILTER (WHERE r.status IN ('requested', 'pending')), 0) AS open_sum,
           coalesce(sum(r.amount) FILTER (WHERE r.status = 'succeeded'), 0) AS refunded_sum,
           coalesce(sum(r.amount) FILTER (WHERE r.status IN ('pending', 'succeeded')
                                             OR r.status IN ('canceled', 'failed') AND r.processor_reference IS NOT NULL),
                    0)
               AS known_sum,
           -- A dispute without a currency has that of its payment.
           (SELECT coalesce(sum(CASE WHEN d.amount IS NULL OR d.currency <> p.currency THEN p.amount ELSE d.amount END),
                            0)
              FROM disputes d WHERE d.payment_id = p.id AND d.status = 'lost') AS lost_sum
      FROM payments p
      LEFT JOIN refunds r ON r.payment_id = p.id
     GROUP BY p.id
),
-- For each order: the sums of its payments in its currency, and what the refunds of all its payments add up to.
order_sums AS (
    SELECT o.id,
           coalesce(sum(p.amount) FILTER (WHERE p.currency = o.currency), 0) AS paid_sum,
           coalesce(sum(p.refunded_sum) FILTER (WHERE p.currency = o.currency), 0) AS refunded_sum,
           coalesce(sum(p.lost_sum) FILTER (WHERE p.currency = o.currency), 0) AS lost_sum,
           CASE WHEN sum(p.open_sum) > 0 THEN 'pending'
                WHEN coalesce(sum(p.refunded_sum), 0) = 0 THEN 'none'
                WHEN bool_and(p.refunded_sum >= p.amount) THEN 'full'
                ELSE 'partial' END AS refund_status
      FROM orders o
      LEFT JOIN payment_sums p ON p.order_id = o.id
     GROUP BY o.id
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
    SELECT 'a canceled order gave back once what refunds did not return, and no other order did', s.order_id,
           format('product %s: ordered %s, returned by refunds %s, given back %s in %s movements, order status %s',
                  s.product_id, s.ordered, s.returned, s.restocked, s.restocks, o.status)
      FROM order_stock s
      JOIN orders o ON o.id = s.order_id
     WHERE (s.restocked, s.restocks) <> (CASE WHEN o.status = 'canceled' THEN s.ordered - s.returned ELSE 0 END,
                                         CASE WHEN o.status = 'canceled' AND s.ordered > s.returned THEN 1 ELSE 0 END)
    UNION ALL
    SELECT 'an order gives back no more units than it sold', s.order_id,
           format('product %s: sold %s, returned by refunds %s, given back %s',
                  s.product_id, s.sold, s.returned, s.restocked)
      FROM order_stock s
     WHERE s.returned + s.restocked > s.sold
    UNION ALL
    SELECT 'the units of a refund returned to the stock once', coalesce(lines.refund_id, moved.refund_id),
           format('product %s: the refund is for %s units, returned %s', coalesce(lines.product_id, moved.product_id),
                  coalesce(lines.units, 0), coalesce(moved.units, 0))
      FROM (SELECT l.refund_id, item.product_id, sum(l.quantity) AS units
              FROM refund_lines l
              JOIN order_items item ON item.id = l.order_item_id
             WHERE l.restock
             GROUP BY l.refund_id, item.product_id) lines
      FULL JOIN (SELECT m.refund_id, m.product_id, sum(m.delta) AS units
                   FROM stock_movements m
                  WHERE m.kind = 'return'
                  GROUP BY m.refund_id, m.product_id) moved
        ON (moved.refund_id, moved.product_id) = (lines.refund_id, lines.product_id)
     WHERE lines.units IS DISTINCT FROM moved.units
    UNION ALL
    SELECT 'a refund is for line items of its order, and for no more units than they have', l.refund_id,
           format('line item %s: %s units of %s', l.order_item_id, l.units, item.quantity)
      FROM (SELECT one.refund_id, one.order_item_id, sum(one.quantity) AS units
              FROM refund_lines one
             GROUP BY one.refund_id, one.order_item_id) l
      LEFT JOIN refunds r ON r.id = l.refund_id
      LEFT JOIN order_items item ON item.id = l.order_item_id AND item.order_id = r.order_id
     WHERE (l.units <= item.quantity) IS NOT TRUE
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
               -- payment_event, replay, note, erasure, refund and acknowledgement. Only a payment changes the order.
               ELSE CASE WHEN e.cause IN ('payment_event', 'replay') AND e.outcome = 'applied'
                              AND e.received_payment_status IS NOT NULL
                   THEN e.to_status = e.from_status AND e.to_payment_status = e.received_payment_status
                       AND e.from_status = 'pending' AND e.from_payment_status <> 'paid'
                   ELSE (e.to_status, e.to_payment_status) = (e.from_status, e.from_payment_status) END
           END IS NOT TRUE
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
       -- An event that waited for its payment, for one in its currency, or for the amount of its refund, has one more entry
       -- for each of them.
       AND (found.entries > p.attempts + 3 * is_about_refund(p)::integer
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
    SELECT 'each payment event has a status other than unpaid, and a reason if it was not applied', p.id,
           format('payment status %s, outcome %s, reason %s', p.payment_status, p.outcome, p.reason)
      FROM payment_events p
     WHERE p.payment_status = 'unpaid' OR (p.outcome = 'applied') <> (p.reason IS NULL)
    UNION ALL
    SELECT 'a payment event in a timeline is in the inbox', e.order_id,
           format('event %s: inbox entry %s', e.id, e.inbox_id)
      FROM order_events e
     WHERE e.inbox_id IS NOT NULL AND NOT EXISTS (SELECT FROM payment_events p WHERE p.id = e.inbox_id)
    UNION ALL
    SELECT 'a payment belongs to an order, and to one event that reported its amount', p.id,
           format('order %s, amount %s %s', p.order_id, p.amount, p.currency)
      FROM payments p
      LEFT JOIN orders o ON o.id = p.order_id
     WHERE p.order_id IS NOT NULL
       AND (o.id IS NULL
            OR NOT EXISTS (SELECT FROM payment_events e
                            WHERE e.id = p.id AND e.order_id = p.order_id
                              AND e.payment_status = 'paid' AND e.error IS NULL
                              AND p.reference IS NOT DISTINCT FROM payment_reference(e))
            -- A later event can correct the amount, also one without any ID.
            OR NOT EXISTS (SELECT FROM payment_events e
                            WHERE e.order_id = p.order_id AND e.payment_status = 'paid'
                              AND coalesce(p.reference, '') = coalesce(payment_reference(e), p.reference, '')
                              AND (coalesce(e.amount, o.total_price), coalesce(e.currency, o.currency))
                                  = (p.amount, p.currency)))
    UNION ALL
    SELECT 'received money has a payment', e.id, format('order %s, outcome %s', e.order_id, e.outcome)
      FROM payment_events e
      JOIN orders o ON o.id = e.order_id
     WHERE e.payment_status = 'paid' AND e.outcome IN ('applied', 'needs_refund', 'needs_review')
       AND coalesce(e.amount, o.total_price) > 0
       -- The reconciliation lists these events.
       AND coalesce(e.reader_reason, e.reason, '') <> 'amount_unreadable'
       AND coalesce(e.reason, '') NOT IN ('other_content', 'payment_changed', 'payment_of_other_order')
       -- The payment of an earlier release is added when the order changes.
       AND e.is_named IS NOT NULL
       AND NOT EXISTS (SELECT FROM payments p
                        WHERE p.order_id = e.order_id
                          AND (p.id = e.id OR payment_reference(e) IS NULL OR p.reference = payment_reference(e)))
    UNION ALL
    SELECT 'a paid order with a total has a payment', o.id, format('total %s', o.total_price)
      FROM orders o
     WHERE o.payment_status = 'paid' AND o.total_price > 0
       AND NOT EXISTS (SELECT FROM payments p WHERE p.order_id = o.id)
       AND NOT EXISTS (SELECT FROM payment_events e
                        WHERE e.order_id = o.id AND e.outcome = 'applied' AND e.is_named IS NULL)
    UNION ALL
    SELECT 'a refund belongs to a payment of its order, and has its currency', r.id,
           format('payment %s of order %s', r.payment_id, r.order_id)
      FROM refunds r
      LEFT JOIN payments p ON p.id = r.payment_id
     WHERE (p.order_id, p.currency) IS DISTINCT FROM (r.order_id, r.currency)
    UNION ALL
    SELECT 'a dispute belongs to a payment of its order', d.id,
           format('payment %s of order %s', d.payment_id, d.order_id)
      FROM disputes d
      LEFT JOIN payments p ON p.id = d.payment_id
     WHERE p.order_id IS DISTINCT FROM d.order_id
    UNION ALL
    SELECT 'a refund in a timeline exists, and belongs to the order', e.order_id,
           format('event %s: refund %s', e.id, e.refund_id)
      FROM order_events e
      LEFT JOIN refunds r ON r.id = e.refund_id AND r.order_id = e.order_id
     WHERE (e.cause = 'refund' OR e.refund_status IS NOT NULL AND e.outcome = 'applied') AND r.id IS NULL
    UNION ALL
    SELECT 'a payment has the sums of its refunds and disputes', p.id,
           format('open %s, went back %s, lost %s, known %s; the rows have %s, %s, %s, %s',
                  p.open_amount, p.refunded_amount, p.lost_amount, p.known_refunds,
                  p.open_sum, p.refunded_sum, p.lost_sum, p.known_sum)
      FROM payment_sums p
     WHERE (p.open_amount, p.refunded_amount, p.lost_amount, p.known_refunds)
           <> (p.open_sum, p.refunded_sum, p.lost_sum, p.known_sum)
    UNION ALL
    SELECT 'a payment is settled while its money adds up', p.id, format('settled: %s', p.is_settled)
      FROM payments p
     -- Without is_settled_payment(), which the column was made with.
     WHERE p.order_id IS NOT NULL
       AND p.is_settled <> ((p.reason IS NULL OR p.refunded_amount + p.lost_amount >= p.amount)
                            AND p.reported_refunds <= p.known_refunds
                            AND p.open_amount + p.refunded_amount + p.lost_amount <= p.amount)
    UNION ALL
    SELECT 'a refund that failed is settled exactly if something made up for it', r.id, format('settled: %s', r.is_settled)
      FROM (SELECT f.order_id, unsettled_refunds(f.order_id) AS ids
              FROM refunds f WHERE f.status = 'failed' OR NOT f.is_settled GROUP BY f.order_id) unsettled
      JOIN refunds r ON r.order_id = unsettled.order_id AND r.is_settled = (r.id = ANY (unsettled.ids))
    UNION ALL
    SELECT 'an order has the sums of its payments, and the refund status that follows from its refunds', o.id,
           format('paid %s, went back %s, lost %s, %s; the rows have %s, %s, %s, %s', o.paid_amount, o.refunded_amount,
                  o.lost_amount, o.refund_status, s.paid_sum, s.refunded_sum, s.lost_sum, s.refund_status)
      FROM orders o
      JOIN order_sums s ON s.id = o.id
     WHERE (o.paid_amount, o.refunded_amount, o.lost_amount, o.refund_status::text)
           <> (s.paid_sum, s.refunded_sum, s.lost_sum, s.refund_status)
    UNION ALL
    SELECT 'refunds exceed a payment only where the reconciliation lists it', p.id,
           format('open %s, went back %s, lost %s of %s', p.open_sum, p.refunded_sum, p.lost_sum, p.amount)
      FROM payment_sums p
     WHERE p.open_sum + p.refunded_sum + p.lost_sum > p.amount
       AND NOT EXISTS (SELECT FROM reconciliation listed WHERE listed.kind = 'over_refunded' AND listed.id = p.id)
    UNION ALL
    SELECT 'an event waits only while its payment is unknown', e.id, format('payment %s of order %s', p.id, p.order_id)
      FROM payment_events e
      JOIN payments p
        ON CASE WHEN e.payment_reference IS NULL THEN p.order_id = e.order_id
                ELSE p.order_id IS NOT NULL AND p.reference = e.payment_reference
                    AND p.event_scheme IN ('', nullif(e.scheme, 'stripe')) END
     WHERE e.reason = 'payment_unknown'
    UNION ALL
    SELECT 'an acknowledgement has a note, unless it was erased', coalesce(a.order_id, a.entry_id),
           format('kind %s', a.kind)
      FROM acknowledgements a
      LEFT JOIN orders o ON o.id = a.order_id
     WHERE coalesce(a.note, '') !~ '\S' AND (o.personal_data_erased_at >= a.acknowledged_at) IS NOT TRUE
       AND NOT (a.order_id IS NULL AND EXISTS (SELECT FROM payment_events e WHERE e.id = a.entry_id AND e.body IS NULL))
    UNION ALL
    SELECT 'an acknowledgement is in the timeline of its order', coalesce(a.order_id, e.order_id),
           format('kind %s: %s acknowledgements, %s entries', coalesce(a.kind, e.reason), coalesce(a.count, 0),
                  coalesce(e.count, 0))
      FROM (SELECT order_id, kind, count(*) FROM acknowledgements WHERE order_id IS NOT NULL GROUP BY order_id, kind) a
      FULL JOIN (SELECT order_id, reason, count(*) FROM order_events WHERE cause = 'acknowledgement'
                  GROUP BY order_id, reason) e
        ON (e.order_id, e.reason) = (a.order_id, a.kind)
     WHERE a.count IS DISTINCT FROM e.count
    UNION ALL
    SELECT 'a refund has no reason, and an acknowledgement no note, after the erasure of its order', e.id,
           'a text is left'
      FROM erased e
     WHERE EXISTS (SELECT FROM refunds r
                    WHERE r.order_id = e.id AND r.reason IS NOT NULL AND r.requested_at < e.personal_data_erased_at)
        OR EXISTS (SELECT FROM acknowledgements a
                    WHERE a.order_id = e.id AND a.note IS NOT NULL AND a.acknowledged_at < e.personal_data_erased_at)
    UNION ALL
    SELECT 'a note has no text after the erasure of its order', e.id, format('event %s has a text', noted.id)
      FROM erased e
      JOIN order_events noted ON noted.order_id = e.id AND noted.note IS NOT NULL AND noted.id < e.last_erasure_id
    UNION ALL
    SELECT DISTINCT 'a payment event has no body after the erasure of its order', e.id,
           format('payment event %s has a body', p.id)
      FROM erased e
      JOIN payment_events named ON named.order_id = e.id
      JOIN payment_events p ON (p.event_id, p.scheme) = (named.event_id, named.scheme) AND p.body IS NOT NULL
    UNION ALL
    SELECT 'only a note and an acknowledgement have a text', e.order_id, format('event %s, %s, has a text', e.id, e.cause)
      FROM order_events e
     WHERE e.note IS NOT NULL AND e.cause NOT IN ('note', 'acknowledgement')
    UNION ALL
    SELECT 'a stored response has no personal data after the erasure of its order', e.id,
           format('response of the key of %s', rfc3339(k.created_at))
      FROM erased e
      JOIN order_events caused ON caused.order_id = e.id AND caused.id < e.last_erasure_id
      JOIN idempotency_keys k ON k.caller = caused.actor AND k.key = caused.idempotency_key
       AND k.operation = CASE caused.cause WHEN 'placed' THEN 'place_order' WHEN 'note' THEN 'add_order_note'
                                          WHEN 'refund' THEN 'request_refund'
                                          WHEN 'acknowledgement' THEN 'acknowledge_mismatch' END
       AND k.created_at < caused.occurred_at + idempotency_key_lifetime()
     WHERE k.body <> erased_response(k.body)
)
SELECT rule, id::text AS id, detail FROM violations ORDER BY rule, id;

COMMIT;
