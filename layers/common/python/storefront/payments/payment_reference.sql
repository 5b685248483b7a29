-- Returns the reference of the payment that an event reports: the processor's own, or the event's ID in its place.
-- NULL if the event has neither.
CREATE OR REPLACE FUNCTION payment_reference(event payment_events) RETURNS text
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN coalesce(event.payment_reference, CASE
        -- An earlier release did not store is_named.
        WHEN coalesce(event.is_named, event.event_id !~ '^[0-9a-f]{64}$') THEN event.event_id END);
END
$$;
