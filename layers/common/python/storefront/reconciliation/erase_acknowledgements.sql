-- Erases the notes of staff about payment events that named no order, and the stored responses with these notes.
-- Returns the events that had one.
CREATE OR REPLACE FUNCTION erase_acknowledgements(event_ids uuid[]) RETURNS uuid[]
    LANGUAGE plpgsql AS $$
DECLARE
    touched uuid[];
BEGIN
    WITH erased AS (
        UPDATE acknowledgements a
           SET note = NULL
         WHERE a.entry_id = ANY (event_ids) AND a.order_id IS NULL AND a.note IS NOT NULL
        RETURNING a.entry_id, a.actor, a.idempotency_key, a.acknowledged_at
    ),
    responses AS (
        UPDATE idempotency_keys k
           SET body = erased_response(k.body)
          FROM erased e
         WHERE k.operation = 'acknowledge_mismatch' AND k.caller = e.actor AND k.key = e.idempotency_key
           -- After this time, the key can belong to another request.
           AND k.created_at < e.acknowledged_at + idempotency_key_lifetime()
    )
    SELECT array_agg(e.entry_id) INTO touched FROM erased e;
    RETURN touched;
END
$$;
