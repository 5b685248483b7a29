-- Lists the payments of an order, oldest first.
-- Outcomes: listed, unknown_order.
CREATE OR REPLACE FUNCTION list_payments(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    page record;
BEGIN
    IF NOT EXISTS (SELECT FROM orders o WHERE o.id = (request ->> 'id')::uuid) THEN
        outcome := 'unknown_order';
        RETURN;
    END IF;
    outcome := 'listed';
    page := read_page(request, NULL::payments, 't.order_id = ($1 ->> ''id'')::uuid', ARRAY['received_at', 'id'],
        descending => false);
    body := page_body(page.head, (SELECT json_agg(payment_json(t)) FROM unnest(page.rows) t));
END
$$;
