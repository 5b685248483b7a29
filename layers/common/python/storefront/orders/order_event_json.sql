-- Returns an event of an order's timeline as the API shows it.
-- for_staff: whether to show the shop's IDs, and to say what staff should do.
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
        'request_id', CASE WHEN for_staff THEN event.request_id END,
        'idempotency_key', CASE WHEN for_staff THEN event.idempotency_key END,
        'payment_event_id', CASE WHEN for_staff THEN event.payment_event_id END,
        'inbox_id', CASE WHEN for_staff THEN event.inbox_id END,
        'received_payment_status', event.received_payment_status,
        'outcome', event.outcome,
        'reason', event.reason,
        'refund_id', CASE WHEN for_staff THEN event.refund_id END,
        'refund_status', event.refund_status,
        'note', event.note,
        'message', explanation.message,
        'action', CASE WHEN for_staff THEN explanation.action END);
END
$$;
