-- Processes a stored payment event again.
-- Outcomes: those of record_payment_event; unknown_payment_event; unreadable, with the body to read again. Then nothing
-- was changed.
CREATE OR REPLACE FUNCTION replay_payment_event(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    named_order_id uuid;
    event  payment_events;
    target orders;
    decision record;
BEGIN
    -- The order is locked before the event, as everywhere. This prevents deadlocks.
    SELECT e.order_id INTO named_order_id FROM payment_events e WHERE e.id = (request ->> 'id')::uuid;
    SELECT * INTO target FROM orders o WHERE o.id = named_order_id FOR NO KEY UPDATE;
    -- The first content under the ID is locked before any other, as in keep_payment_event.
    PERFORM FROM payment_events first
      WHERE first.variant = 0
        AND (first.event_id, first.scheme) = (SELECT e.event_id, e.scheme FROM payment_events e
                                               WHERE e.id = (request ->> 'id')::uuid)
        FOR NO KEY UPDATE;
    SELECT * INTO event FROM payment_events e WHERE e.id = (request ->> 'id')::uuid;
    IF NOT FOUND THEN
        outcome := 'unknown_payment_event';
        RETURN;
    END IF;
    IF event.order_id IS DISTINCT FROM named_order_id THEN
        RAISE serialization_failure USING MESSAGE = 'the processor sent the event again for another order';
    END IF;

    IF event.error IS NOT NULL THEN
        outcome := 'unreadable';
        body := json_build_object('scheme', event.scheme, 'event_id', event.event_id, 'body', event.body,
                                  'body_is_base64', event.body_is_base64);
        RETURN;
    END IF;

    IF event.outcome = 'applied' THEN
        event.outcome := 'duplicate';
        event.reason := 'same_event';
    ELSE
        decision := payment_decision(event, target, request);
        event.outcome := decision.outcome;
        event.reason := decision.reason;
        IF is_conflict(event) THEN
            event.outcome := 'needs_review';
            event.reason := 'other_content';
        END IF;
    END IF;
    UPDATE payment_events e
       SET attempts = e.attempts + 1, last_attempt_at = clock_timestamp(),
           -- An applied event stays applied.
           outcome = CASE WHEN e.outcome = 'applied' THEN e.outcome ELSE event.outcome END,
           reason = CASE WHEN e.outcome = 'applied' THEN e.reason ELSE event.reason END
     WHERE e.id = event.id;
    outcome := event.outcome;
    body := settle_payment_event(event, target, 'replay', request);
END
$$;
