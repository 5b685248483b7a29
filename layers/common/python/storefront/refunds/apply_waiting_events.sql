-- Applies the refund and dispute events that arrived before a payment of an order, in the order of their arrival.
-- The caller has locked the order, and has stored the payment.
CREATE OR REPLACE FUNCTION apply_waiting_events(target orders, request jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    event   payment_events;
    payment payments;
BEGIN
    FOR event IN
        SELECT e.*
          FROM payment_events e
         WHERE e.reason = 'payment_unknown'
           AND (e.order_id = target.id
                OR e.payment_reference IN (SELECT p.reference FROM payments p WHERE p.order_id = target.id))
         ORDER BY e.received_at, e.id
           FOR NO KEY UPDATE
    LOOP
        SELECT * INTO payment
          FROM payments p
         WHERE p.order_id = target.id AND p.reference = event.payment_reference
           AND p.event_scheme IN ('', event.scheme);
        payment := payment_of_event(event, target, payment);
        CONTINUE WHEN payment.id IS NULL;
        event := decided_refund_event(event, target, payment, request);
        IF is_conflict(event) THEN
            event.outcome := 'needs_review';
            event.reason := 'other_content';
        END IF;
        UPDATE payment_events e
           SET (order_id, refund_id, outcome, reason) = (event.order_id, event.refund_id, event.outcome, event.reason)
         WHERE e.id = event.id;
        target := carry_out_refund_event(event, target, payment, request);
        PERFORM settle_payment_event(event, target, 0, 'payment_event', request);
    END LOOP;
END
$$;
