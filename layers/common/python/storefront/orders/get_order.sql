-- Reads one order with its lines. Outcomes: found, unknown_order.
CREATE OR REPLACE FUNCTION get_order(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT 'found', order_json(o)::text INTO outcome, body
      FROM orders o
     WHERE o.id = (request ->> 'id')::uuid;
    outcome := coalesce(outcome, 'unknown_order');
END
$$;
