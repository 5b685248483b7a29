-- Locks an order, and compares it with the ETags in the request's if_match, if any. With a customer_id in the request,
-- only an order of that customer.
-- The lock keeps the result of the check valid until the transaction ends.
-- Outcomes: NULL if the order may be changed; unknown_order, stale.
CREATE OR REPLACE FUNCTION lock_order(request jsonb, OUT outcome text, OUT target orders)
    LANGUAGE plpgsql AS $$
BEGIN
    SELECT * INTO target
      FROM orders o
     WHERE o.id = (request ->> 'id')::uuid
       AND o.customer_id = coalesce((request ->> 'customer_id')::integer, o.customer_id)
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        outcome := 'unknown_order';
    ELSIF jsonb_typeof(request -> 'if_match') = 'array' AND NOT request -> 'if_match' ? order_etag(target) THEN
        outcome := 'stale';
    END IF;
END
$$;
