-- Cancels the oldest orders that were not paid in time, up to the request's batch_size, and returns their stock.
-- An order that a payment holds is not canceled. While the webhook is silent, each order is canceled a day later, because
-- it may be paid: see webhook_is_silent.
-- Outcome: expired, with their number. Several runs may overlap.
CREATE OR REPLACE FUNCTION expire_orders(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    is_silent   CONSTANT boolean := webhook_is_silent((request ->> 'silence_hours')::integer);
    due_until   CONSTANT timestamptz := now() - CASE WHEN is_silent THEN interval '24 hours' ELSE interval '0' END;
    expired_ids uuid[];
BEGIN
    -- SKIP LOCKED: a locked order is being paid, completed or canceled, or belongs to another run. An order that was
    -- paid after this statement began is not selected, because taking the lock checks its row again.
    SELECT array_agg(due.id) INTO expired_ids
      FROM (SELECT o.id
              FROM orders o
             WHERE o.status = 'pending' AND o.payment_status <> 'paid' AND o.held_since IS NULL
               AND o.expires_at <= due_until
               -- An order whose stock would exceed the range of an integer must not block the other orders.
               AND NOT EXISTS (SELECT FROM order_items item JOIN products p ON p.id = item.product_id
                                WHERE item.order_id = o.id
                                  AND p.quantity > 2147483647 - item.quantity + units_returned(item))
             ORDER BY o.expires_at, o.id
             LIMIT (request ->> 'batch_size')::integer
               FOR NO KEY UPDATE OF o SKIP LOCKED) due;

    PERFORM restock_orders(expired_ids, request);
    UPDATE orders o SET status = 'canceled', updated_at = clock_timestamp() WHERE o.id = ANY (expired_ids);
    INSERT INTO order_events (order_id, cause, actor, party, from_status, from_payment_status,
                              to_status, to_payment_status, request_id)
    SELECT o.id, 'expiry', request ->> 'actor', (request ->> 'party')::party, 'pending', o.payment_status,
           o.status, o.payment_status, request ->> 'request_id'
      FROM orders o
     WHERE o.id = ANY (expired_ids);

    outcome := 'expired';
    body := coalesce(cardinality(expired_ids), 0);
END
$$;
