-- Applies the refund and dispute events that wait for something: for their payment, for a payment in their currency, or
-- for their refund, because they have no amount.
-- The caller has locked the order, and has stored the payment.
CREATE OR REPLACE FUNCTION apply_waiting_events(target orders, request jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    reasons CONSTANT text[] := '{payment_unknown,currency_differs,amount_unreadable,amount_zero}';
    payment_references text[] := ARRAY(
        SELECT p.reference FROM payments p WHERE p.order_id = target.id AND p.reference IS NOT NULL);
    waiting uuid[] := ARRAY(
        SELECT e.id
          FROM payment_events e
         WHERE (e.order_id = target.id OR e.payment_reference = ANY (payment_references))
           AND (e.reason = 'payment_unknown'
                OR e.reason = ANY (reasons) AND e.refund_status IS NOT NULL AND e.order_id = target.id));
    stored  payment_events;
    event   payment_events;
    payment payments;
    carried record;
BEGIN
    -- The first content under each ID is locked before any other, as in keep_payment_event.
    PERFORM FROM payment_events first
      WHERE first.variant = 0
        AND (first.event_id, first.scheme) IN (
            SELECT e.event_id, e.scheme FROM payment_events e WHERE e.id = ANY (waiting))
      ORDER BY first.event_id, first.scheme
        FOR NO KEY UPDATE;
    FOR stored IN
        SELECT e.*
          FROM payment_events e
         WHERE e.id = ANY (waiting) AND e.reason = ANY (reasons)
         -- The amount of a refund is in one of its events.
         ORDER BY (e.amount > 0) IS NOT TRUE OR e.reader_reason IS NOT DISTINCT FROM 'amount_unreadable',
                  e.received_at, e.id
    LOOP
        SELECT * INTO payment
          FROM payments p
         WHERE p.order_id = target.id AND p.reference = stored.payment_reference
           AND p.event_scheme = ANY (reference_schemes(stored))
         ORDER BY p.event_scheme
         LIMIT 1;
        -- Its reference is the ID of an event in another scheme.
        CONTINUE WHEN payment.id IS NULL AND stored.order_id IS DISTINCT FROM target.id;
        payment := payment_of_event(stored, target, payment);
        CONTINUE WHEN payment.id IS NULL;
        event := decided_refund_event(stored, target, payment, request);
        event := with_conflict(event);
        CONTINUE WHEN event.reason = stored.reason;
        UPDATE payment_events e
           SET (order_id, refund_id, outcome, reason) = (event.order_id, event.refund_id, event.outcome, event.reason)
         WHERE e.id = event.id;
        carried := carry_out_refund_event(event, target, payment);
        event := carried.event;
        target := carried.target;
        PERFORM settle_payment_event(event, target, 0, 'payment_event', request);
    END LOOP;
    IF target.personal_data_erased_at IS NOT NULL THEN
        -- Until now, nothing connected the events with the order.
        PERFORM erase_bodies_of_orders(ARRAY[target.id]);
    END IF;
END
$$;
