-- Returns since when payment events hold an unpaid order, or NULL if they do not. A held order does not expire.
-- Money that needs review holds an order until the order is settled, or the money went back. A changed amount without any
-- reference is of the first payment. A payment in progress holds it until the payment ends. The times of the processor
-- are compared, because events can arrive in any order. Within a second, the end counts. A time after the arrival comes
-- from a wrong clock, so the arrival counts. An end without a payment reference ends each payment of its order.
CREATE OR REPLACE FUNCTION payment_hold(held_order_id uuid) RETURNS timestamptz
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (
        SELECT min(e.received_at)
          FROM payment_events e
         WHERE e.order_id = held_order_id
           AND (e.outcome = 'needs_review' AND e.payment_status = 'paid'
                   AND NOT EXISTS (SELECT FROM payments p
                                    WHERE p.order_id = held_order_id
                                      AND (p.id = e.id OR p.reference = e.payment_reference AND p.event_scheme = ''
                                           OR e.reason = 'payment_changed' AND e.payment_reference IS NULL
                                              AND p.id = (SELECT one.id FROM payments one
                                                           WHERE one.order_id = held_order_id
                                                           ORDER BY one.received_at, one.id LIMIT 1))
                                      AND p.refunded_amount + p.lost_amount >= p.amount)
                OR e.reason = 'payment_under_way'
                   AND NOT EXISTS (
                       SELECT FROM payment_events ending
                        WHERE ending.order_id = held_order_id
                          AND (ending.reason = 'payment_ended'
                               OR ending.payment_status = 'failed' AND reports_payment(ending))
                          AND (ending.payment_reference = e.payment_reference) IS NOT FALSE
                          AND least(ending.occurred_at, ending.received_at) >= least(e.occurred_at, e.received_at))));
END
$$;
