-- Deletes keys that outlived their time: the oldest ones, as many as the request says. Any number of these may run at
-- once. Outcome: swept, with how many were.
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
