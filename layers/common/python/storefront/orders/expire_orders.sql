-- Cancels orders that were not paid in time and gives their stock back: the oldest ones, as many as the request says.
-- Any number of these may run at once. Outcome: expired, with how many were.
CREATE OR REPLACE FUNCTION expire_orders(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    expired_ids uuid[];
BEGIN
    -- An order that somebody holds is being paid, completed or canceled right now, or is another run's: left alone.
    -- One that was paid since this statement began is not taken either, for the lock makes it look again.
    SELECT array_agg(due.id) INTO expired_ids
      FROM (SELECT o.id
              FROM orders o
             WHERE o.status = 'pending' AND o.payment_status <> 'paid'
               AND o.created_at < now() - make_interval(mins => (request ->> 'time_to_live')::integer)
               -- Stock that would leave the range of an integer cannot be given back; it must not stop the others.
               AND NOT EXISTS (SELECT FROM order_items item JOIN products p ON p.id = item.product_id
                                WHERE item.order_id = o.id AND p.quantity > 2147483647 - item.quantity)
             ORDER BY o.created_at, o.id
             LIMIT (request ->> 'batch_size')::integer
               FOR NO KEY UPDATE OF o SKIP LOCKED) due;

    PERFORM restock_orders(expired_ids, request);
    UPDATE orders o SET status = 'canceled', updated_at = clock_timestamp() WHERE o.id = ANY (expired_ids);
    INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status,
                              to_status, to_payment_status, request_id)
    SELECT o.id, 'expiry', request ->> 'actor', 'pending', o.payment_status,
           o.status, o.payment_status, request ->> 'request_id'
      FROM orders o
     WHERE o.id = ANY (expired_ids);

    outcome := 'expired';
    body := coalesce(cardinality(expired_ids), 0);
END
$$;
