-- Returns the payment that a refund or dispute event names: by its reference, or by its refund, if no payment with this
-- reference is known. A known refund counts, whatever order the event names. NULL if it names no payment.
-- If no event reported the payment yet, the row has no order, and is locked: the payment waits until this transaction
-- ends, and then finds the event. The order that the event names is locked then, too.
CREATE OR REPLACE FUNCTION named_payment(event payment_events) RETURNS payments
    LANGUAGE plpgsql AS $$
DECLARE
    named     payments;
    of_refund payments;
    schemes   text[] := reference_schemes(event);
BEGIN
    SELECT * INTO of_refund
      FROM payments p
     WHERE p.id = (SELECT r.payment_id FROM refunds r WHERE r.id = event.refund_id);
    IF event.payment_reference IS NULL THEN
        RETURN of_refund;
    END IF;
    FOR attempt IN 1 .. 4 LOOP
        SELECT * INTO named
          FROM payments p
         WHERE p.reference = event.payment_reference AND p.event_scheme = ANY (schemes)
         ORDER BY p.order_id IS NULL, p.event_scheme
         LIMIT 1;
        IF named.order_id IS NOT NULL THEN
            RETURN named;
        END IF;
        CASE attempt
            WHEN 1 THEN
                -- The migration that adds the payments of earlier events may not have finished.
                PERFORM complete_payments(ARRAY(
                    SELECT DISTINCT e.order_id FROM payment_events e
                     WHERE (e.payment_reference = event.payment_reference
                            OR e.event_id = event.payment_reference AND e.scheme = ANY (schemes))
                       AND e.payment_status = 'paid' AND e.order_id IS NOT NULL));
            WHEN 2 THEN
                IF of_refund.id IS NOT NULL THEN
                    RETURN of_refund;
                END IF;
                -- The order first, as for an event of the payment. This prevents deadlocks. If the payment then turns
                -- out to be of another order, that one is locked, too. A deadlock is very unlikely: it gives a 503.
                PERFORM FROM orders o WHERE o.id = event.order_id FOR NO KEY UPDATE;
                PERFORM lock_payments(ARRAY[event.payment_reference]);
                INSERT INTO payments (reference, event_scheme)
                SELECT event.payment_reference, scheme FROM unnest(schemes) scheme ORDER BY scheme
                ON CONFLICT (reference, event_scheme) DO NOTHING;
            WHEN 3 THEN
                PERFORM FROM payments p
                  WHERE p.reference = event.payment_reference AND p.event_scheme = ANY (schemes)
                  ORDER BY p.event_scheme
                    FOR UPDATE;
            ELSE
                RETURN named;
        END CASE;
    END LOOP;
END
$$;
