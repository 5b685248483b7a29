-- What happened to an order, oldest first; where the request names a customer, to that customer's alone. Outcomes: listed, unknown_order.
CREATE OR REPLACE FUNCTION page_of_order_events(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM orders o
                    WHERE o.id = (request ->> 'id')::uuid
                      AND o.customer_id = coalesce((request ->> 'customer_id')::integer, o.customer_id)) THEN
        outcome := 'unknown_order';
        RETURN;
    END IF;
    outcome := 'listed';
    body := read_page(request, 'order_events', 't.order_id = ($1 ->> ''id'')::uuid', 'order_event_json(t)',
        ARRAY['id'], ARRAY['bigint'], descending => false);
END
$$;
