-- Adds the payments that earlier releases did not store, from the payment events of orders. Locks the orders.
-- Returns how many were added.
CREATE OR REPLACE FUNCTION complete_payments(order_ids uuid[]) RETURNS bigint
    LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    -- In the order of IDs. An event locks its order before it waits for a payment.
    PERFORM FROM orders o WHERE o.id = ANY (order_ids) ORDER BY o.id FOR NO KEY UPDATE;
    WITH reported AS (
        SELECT e.*, o.total_price, o.currency AS order_currency,
               payment_reference(e) AS reference,
               CASE WHEN e.payment_reference IS NULL THEN e.scheme ELSE '' END AS reference_scheme,
               -- Earlier releases called a second payment a duplicate. Only the processor's references tell them apart.
               e.outcome = 'duplicate' AS is_duplicate
          FROM payment_events e
          JOIN orders o ON o.id = e.order_id
         WHERE e.order_id = ANY (order_ids) AND e.payment_status = 'paid' AND e.error IS NULL
           AND (e.outcome IN ('applied', 'needs_refund', 'needs_review')
                OR e.outcome = 'duplicate' AND e.payment_reference IS NOT NULL
                   AND EXISTS (SELECT FROM payment_events applied
                                WHERE applied.order_id = e.order_id AND applied.outcome = 'applied'
                                  AND applied.payment_status = 'paid' AND applied.payment_reference IS NOT NULL))
           AND coalesce(e.reader_reason, e.reason, '') <> 'amount_unreadable'
           AND coalesce(e.reason, '') NOT IN ('other_content', 'payment_changed', 'payment_of_other_order')
           AND coalesce(e.amount, o.total_price) > 0
           -- Without a reference, it is a report of the first payment.
           AND (payment_reference(e) IS NOT NULL OR NOT EXISTS (SELECT FROM payments p WHERE p.order_id = e.order_id))
           AND NOT EXISTS (SELECT FROM payments p WHERE p.id = e.id)
    ),
    firsts AS (
        -- A reference that two orders have is one payment.
        SELECT DISTINCT ON (r.reference, CASE WHEN r.reference IS NULL THEN r.order_id::text ELSE r.reference_scheme END) r.*
          FROM reported r
         WHERE r.reference IS NOT NULL OR r.outcome = 'applied'
            OR NOT EXISTS (SELECT FROM reported named WHERE named.order_id = r.order_id AND named.reference IS NOT NULL)
         ORDER BY r.reference, CASE WHEN r.reference IS NULL THEN r.order_id::text ELSE r.reference_scheme END,
                  r.outcome <> 'applied', r.is_duplicate, r.received_at, r.id
    ),
    added AS (
        INSERT INTO payments AS p (id, order_id, reference, event_scheme, amount, currency, reason, received_at)
        SELECT f.id, f.order_id, f.reference, f.reference_scheme,
               CASE WHEN (f.amount = f.total_price) IS NOT FALSE THEN f.total_price ELSE trim_scale(f.amount) END,
               coalesce(f.currency, f.order_currency),
               CASE WHEN f.is_duplicate THEN 'paid_twice' ELSE f.reason END, f.received_at
          FROM firsts f
         ORDER BY f.reference, f.reference_scheme
        ON CONFLICT (reference, event_scheme) DO UPDATE
           SET id = excluded.id, order_id = excluded.order_id, amount = excluded.amount, currency = excluded.currency,
               reason = excluded.reason, received_at = excluded.received_at
         -- An event named the payment, which was not found then.
         WHERE p.order_id IS NULL
        RETURNING p.order_id
    )
    SELECT array_agg(DISTINCT order_id) INTO touched FROM added;
    PERFORM recount_money(id, has_moved => true) FROM unnest(touched) id;
    PERFORM apply_waiting_events(o, '{"actor": "payment-processor", "party": "payment processor"}')
       FROM orders o WHERE o.id = ANY (touched) ORDER BY o.id;
    RETURN coalesce(cardinality(touched), 0);
END
$$;
