-- Lists the orders that match the request's filters, newest first.
-- Outcome: listed.
CREATE OR REPLACE FUNCTION list_orders(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    filter text := filter_of(request, jsonb_build_object(
        'status', 't.status = ($1 ->> ''status'')::order_status',
        'payment_status', 't.payment_status = ($1 ->> ''payment_status'')::payment_status',
        'customer_id', 't.customer_id = ($1 ->> ''customer_id'')::integer',
        'number', 't.number = ($1 ->> ''number'')::integer',
        'reference', 't.reference = $1 ->> ''reference''',
        -- The index has the first 255 characters.
        'email', 't.email IS NOT NULL AND left(fold(t.email), 255) = left(fold($1 ->> ''email''), 255)
                  AND fold(t.email) = fold($1 ->> ''email'')',
        'created_from', 't.created_at >= ($1 ->> ''created_from'')::timestamptz',
        'created_to', 't.created_at <= ($1 ->> ''created_to'')::timestamptz',
        'updated_from', 't.updated_at >= ($1 ->> ''updated_from'')::timestamptz',
        'updated_to', 't.updated_at <= ($1 ->> ''updated_to'')::timestamptz'));
    page   record;
BEGIN
    outcome := 'listed';
    page := read_page(request, NULL::orders, filter, ARRAY['created_at', 'id'], descending => true);
    body := page_body(page.head, (SELECT json_agg(order_json(t)) FROM unnest(page.rows) t));
END
$$;
