-- Lists the payment events that match the request's filters, newest first.
-- Outcome: listed.
CREATE OR REPLACE FUNCTION list_payment_events(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    filter text := filter_of(request, jsonb_build_object(
        'outcome', 't.outcome = ($1 ->> ''outcome'')::payment_event_outcome',
        'order_id', 't.order_id = ($1 ->> ''order_id'')::uuid',
        'event_id', 't.event_id = $1 ->> ''event_id'''));
    page   record;
BEGIN
    outcome := 'listed';
    page := read_page(request, NULL::payment_events, filter, ARRAY['received_at', 'id'], descending => true);
    body := page_body(page.head, (SELECT json_agg(payment_event_json(t)) FROM unnest(page.rows) t));
END
$$;
