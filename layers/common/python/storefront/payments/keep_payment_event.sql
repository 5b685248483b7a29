-- Keeps what was sent, once for each content. Gives the row that it is kept in, with what this attempt comes to: where
-- the event was taken before, that is not what the first one came to.
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
    -- Where the same event is being recorded in another session, this waits for its end.
    INSERT INTO payment_events SELECT sent.* ON CONFLICT (event_id, scheme, variant) DO NOTHING;
    IF FOUND THEN
        RETURN sent;
    END IF;

    -- Locked, for two contents that are both new would be given one number.
    SELECT * INTO first
      FROM payment_events e
     WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme AND e.variant = 0
       FOR NO KEY UPDATE;
    -- What was not taken binds the processor to nothing: what it sends now stands in its place.
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
