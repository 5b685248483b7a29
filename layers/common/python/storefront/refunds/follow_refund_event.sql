-- Does what follows from a refund event, once it is in the timeline: applies the events that waited for its refund, and
-- cancels the request that it named. named_id: the refund that the event named. The caller has locked the order.
CREATE OR REPLACE FUNCTION follow_refund_event(
    named_id uuid, event payment_events, target orders, request jsonb
) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    IF event.outcome = 'applied' AND event.refund_status IS NOT NULL THEN
        PERFORM apply_waiting_events(target, request);
    END IF;
    PERFORM cancel_named_request(named_id, event, request);
END
$$;
