-- Returns a payment event as the API shows it: without its body, which can contain personal data.
CREATE OR REPLACE FUNCTION payment_event_json(event payment_events) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    target      orders;
    explanation record;
BEGIN
    SELECT * INTO target FROM orders o WHERE o.id = event.order_id;
    explanation := explain_payment_event(event, target);
    RETURN json_build_object(
        'id', event.id,
        'event_id', event.event_id,
        'scheme', event.scheme,
        'provider', event.provider,
        'type', event.type,
        'order_id', event.order_id,
        'payment_status', event.payment_status,
        'amount', event.amount::text,
        'currency', event.currency,
        'occurred_at', rfc3339(event.occurred_at),
        'livemode', event.livemode,
        'account', event.account,
        'payment_reference', event.payment_reference,
        'object_reference', event.object_reference,
        'refund_id', event.refund_id,
        'refund_status', event.refund_status,
        'dispute_status', event.dispute_status,
        'outcome', event.outcome,
        'reason', event.reason,
        'error', event.error,
        'message', explanation.message,
        'action', CASE WHEN explanation.action IS NOT NULL AND is_left_to_do(event) THEN explanation.action END,
        'attempts', event.attempts,
        'received_at', rfc3339(event.received_at),
        'last_attempt_at', rfc3339(event.last_attempt_at));
END
$$;
