-- Stores a payment event and applies it to its order.
-- Outcomes: applied, duplicate, ignored, needs_refund and needs_review, each with the order's payment status after the
-- event; unknown_order, with is_recent; unreadable. force_generic_plan: as in place_order.
CREATE OR REPLACE FUNCTION record_payment_event(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    event  payment_events := jsonb_populate_record(NULL::payment_events, request);
    target orders;
    decision record;
BEGIN
    -- The lock serializes the events and the status changes of an order.
    SELECT * INTO target FROM orders o WHERE o.id = event.order_id FOR NO KEY UPDATE;
    IF target.id IS NULL OR target.personal_data_erased_at IS NOT NULL THEN
        event := without_erased_body(event, target);
    END IF;
    event.reader_reason := event.reason;
    decision := payment_decision(event, target, request);
    event.outcome := decision.outcome;
    event.reason := decision.reason;
    event := keep_payment_event(event);
    outcome := event.outcome;
    -- A replay of an unreadable event reads its body again.
    body := settle_payment_event(
        event, target, coalesce(request ->> 'cause', 'payment_event')::order_event_cause, request);
END
$$;
