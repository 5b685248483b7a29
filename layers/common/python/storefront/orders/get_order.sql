-- Reads one order with its line items.
-- With a customer_id in the request, only an order of that customer. Outcomes: found, unknown_order.
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
