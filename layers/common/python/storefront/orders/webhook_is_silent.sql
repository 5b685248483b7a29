-- Returns whether no authentic payment event arrived for this many hours, now or within as many hours before now. NULL or
-- 0: never. After a silence, the processor sends the events again that it could not deliver, some of them hours later.
-- Where no event ever arrived, there is no silence. A repeated delivery does not count: whoever captured an event could
-- hide the silence with it.
CREATE OR REPLACE FUNCTION webhook_is_silent(silence_hours integer) RETURNS boolean
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    silence   CONSTANT interval := make_interval(hours => silence_hours);
    first_one timestamptz;
    previous  timestamptz;
BEGIN
    IF silence > interval '0' THEN
        SELECT min(e.received_at) INTO first_one FROM payment_events e WHERE e.received_at > now() - silence;
        SELECT max(e.received_at) INTO previous FROM payment_events e WHERE e.received_at <= now() - silence;
    END IF;
    RETURN coalesce(coalesce(first_one, now()) - previous >= silence, false);
END
$$;
