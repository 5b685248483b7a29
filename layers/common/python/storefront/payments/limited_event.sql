-- Counts a new event of a type that is not handled. Returns the event as it is stored, with the beginning of its body only,
-- or NULL if so many arrived today that it is not stored. settings: ignored_events_per_day.
CREATE OR REPLACE FUNCTION limited_event(event payment_events, settings jsonb) RETURNS payment_events
    LANGUAGE plpgsql AS $$
DECLARE
    max_characters CONSTANT integer := 4096;   -- A multiple of 4, so that a body in base64 stays valid.
    number         bigint;
BEGIN
    IF length(event.body) > max_characters THEN
        event.body := left(event.body, max_characters);
        event.body_is_cut := true;
    END IF;
    IF EXISTS (SELECT FROM payment_events e WHERE e.event_id = event.event_id AND e.scheme = event.scheme) THEN
        -- A repeated delivery. Whoever captured one event could use up the number of a day with it.
        RETURN event;
    END IF;
    -- Before any other lock, so that an event that waits here blocks no payment.
    INSERT INTO ignored_events AS today (day, received) VALUES ((now() AT TIME ZONE 'UTC')::date, 1)
    ON CONFLICT (day) DO UPDATE SET received = today.received + 1
    RETURNING received INTO number;
    IF number > (settings ->> 'ignored_events_per_day')::bigint THEN
        RETURN NULL;
    END IF;
    RETURN event;
END
$$;
