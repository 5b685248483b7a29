-- Returns a reconciliation entry as the API shows it, with its order and its payment event.
CREATE OR REPLACE FUNCTION reconciliation_entry_json(entry reconciliation) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN json_build_object(
        'kind', entry.kind,
        'since', rfc3339(entry.since),
        'order', (SELECT json_build_object(
                             'id', o.id, 'customer_id', o.customer_id, 'status', o.status,
                             'payment_status', o.payment_status, 'total_price', o.total_price::text,
                             'created_at', rfc3339(o.created_at))
                    FROM orders o WHERE o.id = entry.order_id),
        'payment_event', (SELECT payment_event_json(e) FROM payment_events e WHERE e.id = entry.payment_event_id));
END
$$;
