-- Returns an event of an order's timeline as the API shows it.
CREATE OR REPLACE FUNCTION order_event_json(event order_events) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'occurred_at', rfc3339(event.occurred_at),
        'cause', event.cause,
        'actor', event.actor,
        'from', CASE WHEN event.from_status IS NOT NULL THEN json_build_object(
            'status', event.from_status, 'payment_status', event.from_payment_status) END,
        'to', json_build_object('status', event.to_status, 'payment_status', event.to_payment_status),
        'request_id', event.request_id,
        'idempotency_key', event.idempotency_key,
        'payment_event_id', event.payment_event_id,
        'inbox_id', event.inbox_id,
        'received_payment_status', event.received_payment_status,
        'outcome', event.outcome,
        'reason', event.reason)
$$;
