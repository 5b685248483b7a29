-- Stores an event about a refund or a dispute, and applies it to its payment. An event whose payment was not reported yet
-- waits for it. Outcomes: as in record_payment_event.
CREATE OR REPLACE FUNCTION record_refund_event(
    event payment_events, request jsonb, OUT outcome text, OUT body text
)
    LANGUAGE plpgsql AS $$
DECLARE
    named_refund_id uuid := event.refund_id;
    target          orders;
    payment         payments;
    carried         record;
BEGIN
    -- A delivery that replaces an earlier one keeps its time.
    event.received_at := coalesce((SELECT min(e.received_at) FROM payment_events e
                                    WHERE e.event_id = event.event_id AND e.scheme = event.scheme), clock_timestamp());
    event.reader_reason := event.reason;
    payment := named_payment(event);
    SELECT * INTO target FROM orders o WHERE o.id = coalesce(payment.order_id, event.order_id) FOR NO KEY UPDATE;
    payment := payment_of_event(event, target, payment);
    IF target.id IS NULL OR target.personal_data_erased_at IS NOT NULL THEN
        event := without_erased_body(event, target);
    END IF;

    event := keep_payment_event(decided_refund_event(event, target, payment, request));
    IF event.reason IS DISTINCT FROM 'same_event' THEN
        carried := carry_out_refund_event(event, target, payment);
        event := carried.event;
        target := carried.target;
    END IF;
    outcome := event.outcome;
    body := settle_payment_event(
        event, target, 0, coalesce(request ->> 'cause', 'payment_event')::order_event_cause, request)::jsonb
        || '{"is_about_refund": true}';
    PERFORM follow_refund_event(named_refund_id, event, target, request);
END
$$;
