-- Returns an event of an order's timeline as the API shows it.
-- for_staff: whether to say what staff should do.
CREATE OR REPLACE FUNCTION order_event_json(event order_events, for_staff boolean) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    explanation record := explain_order_event(event);
BEGIN
    RETURN json_build_object(
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
        'reason', event.reason,
        'refund_id', event.refund_id,
        'refund_status', event.refund_status,
        'note', event.note,
        'message', explanation.message,
        'action', CASE WHEN for_staff THEN explanation.action END);
END
$$;
