-- Stores an event about a refund or a dispute, and applies it to its payment. An event whose payment was not reported yet
-- waits for it. Outcomes: as in record_payment_event.
CREATE OR REPLACE FUNCTION record_refund_event(
    event payment_events, request jsonb, OUT outcome text, OUT body text
)
    LANGUAGE plpgsql AS $$
DECLARE
    target  orders;
    payment payments;
BEGIN
    event.received_at := clock_timestamp();
    event.reader_reason := event.reason;
    -- A payment never changes its order, so the order can be locked first, as everywhere.
    payment := named_payment(event);
    SELECT * INTO target FROM orders o WHERE o.id = coalesce(payment.order_id, event.order_id) FOR NO KEY UPDATE;
    IF target.id IS NOT NULL THEN
        payment := payment_of_event(event, target, payment);
    END IF;
    IF target.id IS NULL OR target.personal_data_erased_at IS NOT NULL THEN
        event := without_erased_body(event, target);
    END IF;

    event := keep_payment_event(decided_refund_event(event, target, payment, request));
    IF event.reason IS DISTINCT FROM 'same_event' THEN
        target := carry_out_refund_event(event, target, payment, request);
    END IF;
    outcome := event.outcome;
    body := settle_payment_event(
        event, target, 0, coalesce(request ->> 'cause', 'payment_event')::order_event_cause, request);
END
$$;
