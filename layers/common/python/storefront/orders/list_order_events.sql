-- Lists the events of an order, oldest first.
-- With a customer_id in the request, only for an order of that customer, as a customer sees them, and without notes and
-- acknowledgements.
-- Outcomes: listed, unknown_order.
CREATE OR REPLACE FUNCTION list_order_events(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    filter text := 't.order_id = ($1 ->> ''id'')::uuid';
    page   record;
BEGIN
    IF NOT EXISTS (SELECT FROM orders o
                    WHERE o.id = (request ->> 'id')::uuid
                      AND o.customer_id = coalesce((request ->> 'customer_id')::integer, o.customer_id)) THEN
        outcome := 'unknown_order';
        RETURN;
    END IF;
    outcome := 'listed';
    IF request ->> 'customer_id' IS NOT NULL THEN
        filter := filter || ' AND t.cause NOT IN (''note'', ''acknowledgement'')';
    END IF;
    page := read_page(request, NULL::order_events, filter, ARRAY['id'], descending => false);
    body := page_body(page.head, (
        SELECT json_agg(CASE WHEN request ->> 'customer_id' IS NULL THEN order_event_json(t, for_staff => true)
                             ELSE customer_event_json(t, request ->> 'reader') END)
          FROM unnest(page.rows) t));
END
$$;
