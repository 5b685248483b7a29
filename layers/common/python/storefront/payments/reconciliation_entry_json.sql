-- Returns a reconciliation entry as the API shows it, with its order and its payment event.
CREATE OR REPLACE FUNCTION reconciliation_entry_json(entry reconciliation) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    mismatched  orders;
    event       payment_events;
    explanation record;
BEGIN
    SELECT * INTO mismatched FROM orders o WHERE o.id = entry.order_id;
    IF entry.payment_event_id IS NULL THEN
        explanation := explain_mismatch(entry.kind, mismatched);
    ELSE
        SELECT * INTO event FROM payment_events e WHERE e.id = entry.payment_event_id;
        explanation := explain_payment_event(event, mismatched);
    END IF;
    RETURN json_build_object(
        'kind', entry.kind,
        'since', rfc3339(entry.since),
        'message', explanation.message,
        'action', explanation.action,
        'order', CASE WHEN mismatched.id IS NOT NULL THEN json_build_object(
            'id', mismatched.id, 'customer_id', mismatched.customer_id, 'status', mismatched.status,
            'payment_status', mismatched.payment_status, 'total_price', mismatched.total_price::text,
            'created_at', rfc3339(mismatched.created_at)) END,
        'payment_event', CASE WHEN event.id IS NOT NULL THEN payment_event_json(event) END);
END
$$;
