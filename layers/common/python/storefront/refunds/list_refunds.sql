-- Lists the refunds that match the request's filters, oldest first. id: the order, or none for the queue of all orders.
-- Outcomes: listed; unknown_order.
CREATE OR REPLACE FUNCTION list_refunds(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    filter text := filter_of(request, jsonb_build_object(
        'id', 't.order_id = ($1 ->> ''id'')::uuid',
        'status', 't.status = ($1 ->> ''status'')::refund_status'));
    page   record;
BEGIN
    IF request ->> 'id' IS NOT NULL AND NOT EXISTS (SELECT FROM orders o WHERE o.id = (request ->> 'id')::uuid) THEN
        outcome := 'unknown_order';
        RETURN;
    END IF;
    outcome := 'listed';
    page := read_page(request, NULL::refunds, filter, ARRAY['requested_at', 'id'], descending => false);
    body := page_body(page.head, (SELECT json_agg(refund_json(t)) FROM unnest(page.rows) t));
END
$$;
