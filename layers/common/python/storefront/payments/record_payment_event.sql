-- Stores a payment event and applies it to its order.
-- Outcomes: applied, duplicate, ignored, needs_refund and needs_review, each with the order's payment status after the
-- event; unknown_order, with is_recent; unreadable. force_generic_plan: as in place_order.
CREATE OR REPLACE FUNCTION record_payment_event(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    event    payment_events := jsonb_populate_record(NULL::payment_events, request);
    target   orders;
    known    payments;
    added    numeric := 0;
    decision record;
    received record;
BEGIN
    IF event.reason = 'type_not_ours' THEN
        event := limited_event(event, request);
        IF event IS NULL THEN
            outcome := 'ignored';
            body := json_build_object('order_id', request -> 'order_id', 'payment_status', NULL,
                                      'event_id', request -> 'event_id', 'stored_outcome', 'not_stored',
                                      'is_recent', false);
            RETURN;
        END IF;
    END IF;
    IF event.payment_status IS NULL AND event.error IS NULL AND is_about_refund(event) THEN
        SELECT recorded.outcome, recorded.body INTO outcome, body FROM record_refund_event(event, request) recorded;
        RETURN;
    END IF;
    -- The lock serializes the events and the status changes of an order.
    SELECT * INTO target FROM orders o WHERE o.id = event.order_id FOR NO KEY UPDATE;
    IF target.id IS NULL OR target.personal_data_erased_at IS NOT NULL THEN
        event := without_erased_body(event, target);
    END IF;
    event.reader_reason := event.reason;
    -- The first payment of a pending order cannot be known.
    IF target.money_changes > 0 OR target.status <> 'pending' OR target.payment_status = 'paid' THEN
        known := known_payment(event, target);
    END IF;
    decision := payment_decision(event, target, known, request);
    event.outcome := decision.outcome;
    event.reason := decision.reason;
    event := keep_payment_event(event);
    IF event.outcome = 'applied' AND event.payment_status = 'paid' AND target.money_changes = 0 THEN
        -- Of most orders, this is the only payment. Another session that stores the same payment, or an event that
        -- names it, ends first.
        INSERT INTO payments (id, order_id, reference, event_scheme, amount, currency, received_at)
        VALUES (event.id, target.id, payment_reference(event),
                CASE WHEN event.payment_reference IS NULL THEN event.scheme ELSE '' END,
                target.total_price, target.currency, event.received_at)
        ON CONFLICT (reference, event_scheme) DO NOTHING;
        IF FOUND THEN
            added := target.total_price;
        END IF;
    END IF;
    IF added = 0 AND event.payment_status = 'paid' AND is_received(event, target) THEN
        received := receive_payment(event, target, known, request);
        event := received.event;
        target := received.target;
    END IF;
    outcome := event.outcome;
    -- A replay of an unreadable event reads its body again.
    body := settle_payment_event(
        event, target, added, coalesce(request ->> 'cause', 'payment_event')::order_event_cause, request);
END
$$;
