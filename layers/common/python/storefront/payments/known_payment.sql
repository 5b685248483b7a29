-- Returns the payment of an order that a payment event is about, or NULL if the event is the first about it.
-- The caller has locked the order.
CREATE OR REPLACE FUNCTION known_payment(event payment_events, target orders) RETURNS payments
    LANGUAGE plpgsql AS $$
DECLARE
    known payments;
    wanted text := payment_reference(event);
BEGIN
    IF event.payment_status IS DISTINCT FROM 'paid' THEN
        RETURN NULL;
    END IF;
    -- The migration that adds the payments of earlier events may not have finished.
    PERFORM complete_payments(ARRAY[target.id]);
    SELECT * INTO known
      FROM payments p
     WHERE p.order_id = target.id
       AND (p.id = event.id
            -- Without a reference, it is a report of the first payment.
            OR wanted IS NULL
            OR p.reference = wanted
               AND p.event_scheme = CASE WHEN event.payment_reference IS NULL THEN event.scheme ELSE '' END)
     ORDER BY p.id = event.id DESC NULLS LAST, p.received_at, p.id
     LIMIT 1;
    RETURN known;
END
$$;
