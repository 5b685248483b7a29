-- Runs an operation once for each idempotency key, and stores its response in the same transaction.
-- Outcomes: replayed, with the first response; key_reused, if the key belongs to a different request; in_flight, if the
-- first request still runs; otherwise the outcome of the operation. A refused operation stores nothing, so the client
-- can use the key again.
CREATE OR REPLACE FUNCTION call_once(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    key_lock CONSTANT bigint := hashtextextended(
        jsonb_build_array(request -> 'caller', request -> 'operation', request -> 'key')::text, 0);
    content jsonb := request -> 'content';
    first   idempotency_keys;
    result  record;
BEGIN
    BEGIN
        -- The second of two requests waits here until the first one ends, or until lock_timeout. Other keys with the
        -- same hash wait too, which does no harm. Requests of a customer do not wait, because a customer with many
        -- requests would occupy a connection with each of them.
        IF NOT pg_try_advisory_xact_lock(key_lock) THEN
            IF content ->> 'party' = 'customer' THEN
                outcome := 'in_flight';
                RETURN;
            END IF;
            PERFORM pg_advisory_xact_lock(key_lock);
        END IF;
    EXCEPTION WHEN lock_not_available THEN
        outcome := 'in_flight';
        RETURN;
    END;

    -- A separate statement after the lock. It sees the changes of a request that the lock waited for.
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
        WHEN 'place_order' THEN result := place_order(content);
        WHEN 'create_product' THEN result := create_product(content);
        WHEN 'adjust_stock' THEN result := adjust_stock(content);
        WHEN 'add_order_note' THEN result := add_order_note(content);
        WHEN 'request_refund' THEN result := request_refund(content);
        WHEN 'acknowledge_mismatch' THEN result := acknowledge_mismatch(content);
    END CASE;
    outcome := result.outcome;
    body := result.body;
    IF outcome IN ('placed', 'created', 'adjusted', 'acknowledged') THEN
        INSERT INTO idempotency_keys AS k (caller, operation, key, fingerprint, body)
        VALUES (request ->> 'caller', request ->> 'operation', request ->> 'key', request ->> 'fingerprint', body)
        -- An expired key that has not been deleted yet.
        ON CONFLICT ON CONSTRAINT idempotency_keys_pkey DO UPDATE
           SET fingerprint = excluded.fingerprint, body = excluded.body, created_at = excluded.created_at;
    END IF;
END
$$;
