-- Stores a payment event once for each content, and returns the stored row with the outcome of this attempt.
-- An event that was stored before gets the outcome duplicate; the stored outcome does not change.
CREATE OR REPLACE FUNCTION keep_payment_event(sent payment_events) RETURNS payment_events
    LANGUAGE plpgsql AS $$
DECLARE
    first payment_events;
BEGIN
    sent.id := gen_random_uuid();
    sent.variant := 0;
    sent.attempts := 1;
    sent.received_at := clock_timestamp();
    sent.last_attempt_at := sent.received_at;
    -- If another session is storing the same event, this waits until it ends.
    INSERT INTO payment_events SELECT sent.* ON CONFLICT (event_id, scheme, variant) DO NOTHING;
    IF FOUND THEN
        RETURN sent;
    END IF;

    -- Without the lock, two new contents at the same time would get the same variant.
    SELECT * INTO first
      FROM payment_events e
     WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme AND e.variant = 0
       FOR NO KEY UPDATE;
    -- A later delivery replaces an event for an unknown order.
    IF first.outcome = 'unknown_order' THEN
        UPDATE payment_events e
           SET (provider, type, order_id, payment_status, amount, currency, occurred_at, body, outcome, reason) =
               (sent.provider, sent.type, sent.order_id, sent.payment_status, sent.amount, sent.currency,
                sent.occurred_at, sent.body, sent.outcome, sent.reason),
               attempts = e.attempts + 1, last_attempt_at = sent.last_attempt_at
         WHERE e.id = first.id;
        sent.id := first.id;
        RETURN sent;
    END IF;

    UPDATE payment_events e
       SET attempts = e.attempts + 1, last_attempt_at = sent.last_attempt_at
     WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme
       AND (e.order_id, e.payment_status, e.type, e.amount, e.currency) IS NOT DISTINCT FROM
           (sent.order_id, sent.payment_status, sent.type, sent.amount, sent.currency)
    RETURNING e.id INTO sent.id;
    IF FOUND THEN
        sent.outcome := 'duplicate';
        sent.reason := 'same_event';
        RETURN sent;
    END IF;

    sent.id := gen_random_uuid();
    sent.variant := (SELECT max(e.variant) + 1 FROM payment_events e
                      WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme);
    sent.outcome := 'needs_review';
    sent.reason := 'other_content';
    INSERT INTO payment_events SELECT sent.*;
    RETURN sent;
END
$$;
