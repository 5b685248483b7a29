-- Stores a payment event once for each content, and returns the stored row with the outcome of this attempt.
-- An event that was stored before gets the outcome duplicate; the stored outcome does not change.
CREATE OR REPLACE FUNCTION keep_payment_event(sent payment_events) RETURNS payment_events
    LANGUAGE plpgsql AS $$
DECLARE
    known payment_events;
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

    -- Without the lock, two new contents at the same time would not see each other.
    PERFORM FROM payment_events e
      WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme AND e.variant = 0
        FOR NO KEY UPDATE;
    -- The bodies under an ID are erased together, and none is stored again.
    IF sent.body IS NULL THEN
        UPDATE payment_events e SET body = NULL, body_is_base64 = NULL
         WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme AND e.body IS NOT NULL;
    ELSIF EXISTS (SELECT FROM payment_events e
                WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme AND e.body IS NULL) THEN
        sent.body := NULL;
        sent.body_is_base64 := NULL;
    END IF;
    SELECT * INTO known
      FROM payment_events e
     WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme
       AND (is_same_content(e, sent) OR is_replaced_by(e, sent))
     ORDER BY is_same_content(e, sent) DESC, e.variant
     LIMIT 1;

    IF is_same_content(known, sent) AND NOT is_replaced_by(known, sent) THEN
        UPDATE payment_events e
           SET attempts = e.attempts + 1, last_attempt_at = sent.last_attempt_at
         WHERE e.id = known.id
        RETURNING e.attempts INTO sent.attempts;
        sent.id := known.id;
        sent.outcome := 'duplicate';
        sent.reason := 'same_event';
        RETURN sent;
    END IF;

    sent.id := coalesce(known.id, sent.id);
    sent.received_at := coalesce(known.received_at, sent.received_at);
    sent := with_conflict(sent);
    IF known.id IS NULL THEN
        sent.variant := (SELECT max(e.variant) + 1 FROM payment_events e
                          WHERE e.event_id = sent.event_id AND e.scheme = sent.scheme);
        INSERT INTO payment_events SELECT sent.*;
        RETURN sent;
    END IF;
    UPDATE payment_events e
       SET (provider, type, order_id, payment_status, amount, currency, occurred_at, livemode, account,
            payment_reference, object_reference, is_named, refund_id, refund_status, dispute_status, error, body,
            body_is_base64, body_is_cut, outcome, reason, reader_reason) =
           (sent.provider, sent.type, sent.order_id, sent.payment_status, sent.amount, sent.currency, sent.occurred_at,
            sent.livemode, sent.account, sent.payment_reference, sent.object_reference, sent.is_named, sent.refund_id,
            sent.refund_status, sent.dispute_status, sent.error, sent.body,
            sent.body_is_base64, sent.body_is_cut, sent.outcome, sent.reason, sent.reader_reason),
           attempts = e.attempts + 1, last_attempt_at = sent.last_attempt_at
     WHERE e.id = known.id;
    RETURN sent;
END
$$;
