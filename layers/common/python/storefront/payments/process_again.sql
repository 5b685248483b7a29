-- Decides a stored payment event again, and carries it out. Returns the event, and the order as it is then.
-- The caller has locked the order and the event. named: as from named_payment.
CREATE OR REPLACE FUNCTION process_again(
    INOUT event payment_events, INOUT target orders, named payments, request jsonb
)
    LANGUAGE plpgsql AS $$
DECLARE
    payment  payments;
    decision record;
    carried  record;
    received record;
BEGIN
    IF is_about_refund(event) THEN
        IF target.id IS NOT NULL THEN
            payment := payment_of_event(event, target, named);
        END IF;
        event := decided_refund_event(event, target, payment, request);
    ELSE
        IF target.id IS NOT NULL THEN
            payment := known_payment(event, target);
        END IF;
        decision := payment_decision(event, target, payment, request);
        event.outcome := decision.outcome;
        event.reason := decision.reason;
    END IF;
    event := with_conflict(event);
    UPDATE payment_events e
       SET attempts = e.attempts + 1, last_attempt_at = clock_timestamp(),
           (order_id, refund_id, outcome, reason) = (event.order_id, event.refund_id, event.outcome, event.reason)
     WHERE e.id = event.id;
    IF is_about_refund(event) THEN
        carried := carry_out_refund_event(event, target, payment);
        event := carried.event;
        target := carried.target;
    ELSIF is_received(event, target) THEN
        received := receive_payment(event, target, payment, request);
        event := received.event;
        target := received.target;
    END IF;
END
$$;
