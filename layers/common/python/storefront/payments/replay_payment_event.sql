-- Processes a stored payment event again.
-- Outcomes: those of record_payment_event; unknown_payment_event; unreadable, with the body to read again. Then nothing
-- was changed.
CREATE OR REPLACE FUNCTION replay_payment_event(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    stored  payment_events;
    event   payment_events;
    target  orders;
    payment payments;
    again   record;
BEGIN
    SELECT * INTO stored FROM payment_events e WHERE e.id = (request ->> 'id')::uuid;
    IF is_about_refund(stored) THEN
        payment := named_payment(stored);
    END IF;
    -- The order is locked before the event, as everywhere. This prevents deadlocks.
    SELECT * INTO target FROM orders o WHERE o.id = coalesce(payment.order_id, stored.order_id) FOR NO KEY UPDATE;
    -- The first content under the ID is locked before any other, as in keep_payment_event.
    PERFORM FROM payment_events first
      WHERE first.variant = 0 AND (first.event_id, first.scheme) = (stored.event_id, stored.scheme)
        FOR NO KEY UPDATE;
    SELECT * INTO event FROM payment_events e WHERE e.id = stored.id;
    IF NOT FOUND THEN
        outcome := 'unknown_payment_event';
        RETURN;
    END IF;
    IF event.order_id IS DISTINCT FROM stored.order_id THEN
        RAISE serialization_failure USING MESSAGE = 'another session found another order for the event';
    END IF;

    -- Earlier releases did not read refunds and disputes.
    IF event.error IS NOT NULL OR is_unread_refund(event) AND event.body IS NOT NULL AND event.body_is_cut IS NOT TRUE THEN
        outcome := 'unreadable';
        body := json_build_object('scheme', event.scheme, 'event_id', event.event_id, 'is_named', event.is_named,
                                  'body', event.body, 'body_is_base64', event.body_is_base64);
        RETURN;
    END IF;

    IF event.outcome = 'applied' OR event.reason = 'refund_set_to_failed' THEN
        event.outcome := 'duplicate';
        event.reason := 'same_event';
        UPDATE payment_events e SET attempts = e.attempts + 1, last_attempt_at = clock_timestamp() WHERE e.id = event.id;
    ELSE
        again := process_again(event, target, payment, request);
        event := again.event;
        target := again.target;
    END IF;
    outcome := event.outcome;
    body := settle_payment_event(event, target, 0, 'replay', request)::jsonb
        || jsonb_build_object('is_about_refund', is_about_refund(event));
    PERFORM follow_refund_event(stored.refund_id, event, target, request);
END
$$;
