-- Applies a payment event to its order, and writes down that it came. Outcomes: applied, duplicate, ignored, needs_refund, needs_review,
-- each with the order's payment status as it now stands; unknown_order.
CREATE OR REPLACE FUNCTION record_payment_event(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    received payment_status := request ->> 'payment_status';
    target   orders;
    before   payment_status;
BEGIN
    -- The lock puts events for one order, and a cancellation beside them, one after the other.
    SELECT * INTO target FROM orders o WHERE o.id = (request ->> 'order_id')::uuid FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        outcome := 'unknown_order';
        RETURN;
    END IF;

    before := target.payment_status;
    outcome := CASE
        WHEN target.payment_status = received THEN 'duplicate'
        WHEN received = 'failed' AND target.payment_status = 'paid' THEN 'ignored'
        WHEN target.status = 'pending' THEN 'applied'
        WHEN received = 'failed' THEN 'ignored'
        WHEN target.status = 'canceled' THEN 'needs_refund'
        ELSE 'needs_review'
        END;
    IF outcome = 'applied' THEN
        UPDATE orders o SET payment_status = received, updated_at = clock_timestamp()
         WHERE o.id = target.id
        RETURNING * INTO target;
    END IF;
    INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status,
                              to_status, to_payment_status, request_id,
                              payment_event_id, received_payment_status, outcome)
    VALUES (target.id, 'payment_event', actor_of(request), target.status, before,
            target.status, target.payment_status, request ->> 'request_id',
            request ->> 'event_id', received, outcome);
    body := json_build_object('order_id', target.id, 'payment_status', target.payment_status);
END
$$;
