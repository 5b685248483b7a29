-- Dismisses an entry of the reconciliation, with the note of staff that says why. It covers the money until now.
-- Outcomes: acknowledged, with the entry; unknown_entry; already_acknowledged.
CREATE OR REPLACE FUNCTION acknowledge_mismatch(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    entry  reconciliation;
    target orders;
BEGIN
    -- New money of the order either waits, or is visible to the statements below.
    SELECT o.* INTO target
      FROM orders o
     WHERE o.id = (SELECT r.order_id FROM reconciliation r
                    WHERE r.kind = request ->> 'kind' AND r.id = (request ->> 'id')::uuid)
       FOR NO KEY UPDATE;
    SELECT * INTO entry FROM reconciliation r WHERE r.kind = request ->> 'kind' AND r.id = (request ->> 'id')::uuid;
    -- As in list_reconciliation. Callers choose there how long an order may be pending.
    IF entry.id IS NULL
       OR entry.since >= now() - make_interval(days => (request ->> CASE entry.kind
              WHEN 'held_too_long' THEN 'payment_pending_days' WHEN 'refund_stuck' THEN 'refund_pending_days' END)::integer)
    THEN
        outcome := 'unknown_entry';
        RETURN;
    END IF;
    INSERT INTO acknowledgements (kind, entry_id, money_changes, order_id, note, actor, idempotency_key)
    VALUES (entry.kind, entry.id, entry.money_changes, target.id, request ->> 'note', request ->> 'actor',
            request ->> 'idempotency_key')
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        outcome := 'already_acknowledged';
        RETURN;
    END IF;
    IF target.id IS NOT NULL THEN
        INSERT INTO order_events (order_id, cause, actor, party, from_status, from_payment_status, to_status,
                                  to_payment_status, reason, refund_id, note, request_id, idempotency_key)
        VALUES (target.id, 'acknowledgement', request ->> 'actor', (request ->> 'party')::party, target.status,
                target.payment_status, target.status, target.payment_status, entry.kind, entry.refund_id,
                request ->> 'note', request ->> 'request_id', request ->> 'idempotency_key');
    END IF;
    outcome := 'acknowledged';
    body := reconciliation_entry_json(entry);
END
$$;
