-- Takes one of the slots of a product until the transaction ends: the permission to wait in its queue. Returns false if
-- none was found.
-- slots: how many there are.
-- A slot is an advisory lock, because PostgreSQL gives it back in any case, also after a crash of the session. A counter of
-- those who wait would be wrong then.
CREATE OR REPLACE FUNCTION take_slot(product_id uuid, slots integer) RETURNS boolean
    LANGUAGE plpgsql AS $$
BEGIN
    -- Eight slots at random, so that a refusal always costs the same. All eight are taken with a probability of 0.4 % when
    -- half of the slots are taken, and of 34 % when seven eighths are.
    FOR attempt IN 1..8 LOOP
        -- The second argument is 0 for the queue itself.
        IF pg_try_advisory_xact_lock(uuid_hash_extended(product_id, 1 + floor(random() * slots)::bigint)) THEN
            RETURN true;
        END IF;
    END LOOP;
    RETURN false;
END
$$;
