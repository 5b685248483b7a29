-- Deletes the oldest expired idempotency keys, up to the request's batch_size.
-- Outcome: swept, with their number.
CREATE OR REPLACE FUNCTION sweep_idempotency_keys(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    swept bigint;
BEGIN
    DELETE FROM idempotency_keys k
     USING (SELECT old.caller, old.operation, old.key
              FROM idempotency_keys old
             WHERE old.created_at <= now() - idempotency_key_lifetime()
             ORDER BY old.created_at
             LIMIT (request ->> 'batch_size')::integer
               FOR UPDATE SKIP LOCKED) due
     WHERE (k.caller, k.operation, k.key) = (due.caller, due.operation, due.key);
    GET DIAGNOSTICS swept = ROW_COUNT;
    outcome := 'swept';
    body := swept;
END
$$;
