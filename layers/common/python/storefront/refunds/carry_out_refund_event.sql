-- Carries out a decided refund or dispute event. Returns the event with the refund that it is about, and the order as it
-- is then. The caller has locked the order, and has stored the event.
CREATE OR REPLACE FUNCTION carry_out_refund_event(
    INOUT event payment_events, INOUT target orders, payment payments
)
    LANGUAGE plpgsql AS $$
BEGIN
    IF event.refund_status IS NOT NULL AND event.outcome = 'applied' THEN
        IF event.refund_id IS NULL THEN
            -- It was made at the processor.
            event.refund_id := event.id;
            UPDATE payment_events e SET refund_id = e.id WHERE e.id = event.id;
        END IF;
        target := change_refund(event, target, payment);
    ELSIF event.reason = 'refund_set_to_failed' THEN
        target := add_made_refund(event, (SELECT r FROM refunds r WHERE r.id = event.refund_id));
    ELSIF event.refund_status IS NOT NULL AND event.reason IN ('same_status', 'older_status') THEN
        UPDATE refunds r SET requested_at = event.occurred_at
         WHERE r.id = event.refund_id AND r.actor = 'payment-processor' AND event.occurred_at < r.requested_at;
        IF FOUND THEN
            target := recount_money(target.id);
        END IF;
    ELSIF event.dispute_status IS NOT NULL
          AND (event.outcome = 'applied' OR event.reason IN ('same_status', 'older_status')) THEN
        target := change_dispute(event, target, payment);
    ELSIF event.reason = 'refund_total' AND event.currency = payment.currency THEN
        UPDATE payments p SET reported_refunds = event.amount
         WHERE p.id = payment.id AND event.amount > p.reported_refunds
        RETURNING * INTO payment;
        IF FOUND THEN
            target := recount_money(target.id, has_moved => payment.reported_refunds > payment.known_refunds);
        END IF;
    ELSIF event.reason = 'payment_unknown' AND target.money_changes = 0 THEN
        -- The first payment of this order looks for events that wait for it.
        UPDATE orders o SET money_changes = o.money_changes + 1 WHERE o.id = target.id
        RETURNING * INTO target;
    END IF;
END
$$;
