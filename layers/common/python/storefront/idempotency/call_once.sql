-- Carries a request out once, however often it is sent under its key, and keeps its answer with what it did: both commit,
-- or neither. A refusal keeps nothing, so that the key can be used again.
-- Outcomes: replayed, with the first answer; key_reused, where the key came with another content; in_flight, where the
-- first request still runs; otherwise the operation's own.
CREATE OR REPLACE FUNCTION call_once(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    content jsonb := request -> 'content';
    first   idempotency_keys;
    answer  record;
BEGIN
    BEGIN
        -- The second of two requests waits here for the first to end, as long as lock_timeout lets it. Other keys that
        -- have the same hash wait too, which costs them no more than that.
        PERFORM pg_advisory_xact_lock(hashtextextended(
            jsonb_build_array(request -> 'caller', request -> 'operation', request -> 'key')::text, 0));
    EXCEPTION WHEN lock_not_available THEN
        outcome := 'in_flight';
        RETURN;
    END;

    -- A statement of its own, after the lock: it sees what the one it waited for has left.
    SELECT * INTO first
      FROM idempotency_keys k
     WHERE k.caller = request ->> 'caller' AND k.operation = request ->> 'operation' AND k.key = request ->> 'key'
       AND k.created_at > now() - idempotency_key_lifetime();
    IF FOUND THEN
        IF first.fingerprint = request ->> 'fingerprint' THEN
            outcome := 'replayed';
            body := first.body;
        ELSE
            outcome := 'key_reused';
        END IF;
        RETURN;
    END IF;

    CASE request ->> 'operation'
        WHEN 'place_order' THEN answer := place_order(content);
        WHEN 'create_product' THEN answer := create_product(content);
        WHEN 'adjust_stock' THEN answer := adjust_stock(content);
    END CASE;
    outcome := answer.outcome;
    body := answer.body;
    IF outcome IN ('placed', 'created', 'adjusted') THEN
        INSERT INTO idempotency_keys AS k (caller, operation, key, fingerprint, body)
        VALUES (request ->> 'caller', request ->> 'operation', request ->> 'key', request ->> 'fingerprint', body)
        -- One that outlived its time and was not swept yet.
        ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
           SET fingerprint = excluded.fingerprint, body = excluded.body, created_at = excluded.created_at;
    END IF;
END
$$;
