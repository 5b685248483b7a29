-- Waits in the queue of a product, and keeps it until the transaction ends. Returns false two seconds after the beginning
-- of the statement, so that the waits for several products are not longer together.
-- The clause SET is what ends the setting below together with the function.
CREATE OR REPLACE FUNCTION enter_queue_in_time(product_id uuid) RETURNS boolean
    LANGUAGE plpgsql SET lock_timeout = '2s' AS $$
DECLARE
    milliseconds integer := 2000 - extract(epoch FROM clock_timestamp() - statement_timestamp()) * 1000;
BEGIN
    -- 0 would mean no limit.
    IF milliseconds <= 0 THEN
        RETURN false;
    END IF;
    PERFORM set_config('lock_timeout', milliseconds::text, true);
    PERFORM pg_advisory_xact_lock(queue_of(product_id));
    RETURN true;
EXCEPTION WHEN lock_not_available THEN
    RETURN false;
END
$$;
