-- Adds a note of staff to the timeline of an order.
-- Outcomes: created, with the entry; unknown_order.
CREATE OR REPLACE FUNCTION add_order_note(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    locked record;
    target orders;
    added  order_events;
BEGIN
    -- An erasure either waits for this note, or ends before it.
    locked := lock_order(request);
    IF locked.outcome IS NOT NULL THEN
        outcome := locked.outcome;
        RETURN;
    END IF;
    target := locked.target;

    INSERT INTO order_events (order_id, cause, actor, party, from_status, from_payment_status,
                              to_status, to_payment_status, request_id, idempotency_key, note)
    VALUES (target.id, 'note', request ->> 'actor', (request ->> 'party')::party, target.status, target.payment_status,
            target.status, target.payment_status, request ->> 'request_id', request ->> 'idempotency_key',
            request ->> 'text')
    RETURNING * INTO added;

    outcome := 'created';
    body := order_event_json(added, for_staff => true);
END
$$;
