-- Reads one order with its lines; where the request names a customer, that customer's alone. Outcomes: found, unknown_order.
CREATE OR REPLACE FUNCTION get_order(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT 'found', order_json(o)::text INTO outcome, body
      FROM orders o
     WHERE o.id = (request ->> 'id')::uuid
       AND o.customer_id = coalesce((request ->> 'customer_id')::integer, o.customer_id);
    outcome := coalesce(outcome, 'unknown_order');
END
$$;
