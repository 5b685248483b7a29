-- Returns the payment that a refund or dispute event is about, as it is while its order is locked. A refund that is known
-- stays with its payment, also if the event names another one: it would count twice.
-- named: as from named_payment. Where it has no order, the event named the order, but no payment with a reference that
-- the order has. Then the payment is one without a reference of the processor. NULL if there is none.
CREATE OR REPLACE FUNCTION payment_of_event(event payment_events, target orders, named payments) RETURNS payments
    LANGUAGE plpgsql AS $$
DECLARE
    found payments;
BEGIN
    IF named.order_id IS NULL THEN
        PERFORM complete_payments(ARRAY[target.id]);
    END IF;
    SELECT p.* INTO found
      FROM payments p
     WHERE p.order_id = target.id
       AND (EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id AND r.processor_reference = event.object_reference)
            OR CASE WHEN named.order_id IS NOT NULL THEN p.id = named.id
                    ELSE event.payment_reference IS NULL OR p.event_scheme <> '' OR p.reference IS NULL
                         OR p.id = (SELECT r.payment_id FROM refunds r WHERE r.id = event.refund_id) END)
     ORDER BY EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id
                                              AND r.processor_reference = event.object_reference) DESC,
              EXISTS (SELECT FROM refunds r WHERE r.id = event.refund_id AND r.payment_id = p.id) DESC,
              -- Of several disputes, the one that has not ended.
              (SELECT d.status = 'open' FROM disputes d
                WHERE d.payment_id = p.id AND d.reference = coalesce(event.object_reference, '')
                  AND event.dispute_status IS NOT NULL AND (d.currency = event.currency) IS NOT FALSE) DESC NULLS LAST,
              -- Of several payments, one in the currency of the event.
              (p.currency = event.currency) IS NOT FALSE DESC,
              EXISTS (SELECT FROM refunds r WHERE r.payment_id = p.id AND r.amount = event.amount
                                              AND r.status IN ('requested', 'pending')) DESC,
              -- One that has enough money left, and that does not simply pay the order.
              p.amount - p.refunded_amount - p.lost_amount >= coalesce(event.amount, 0) DESC,
              p.reason IS NULL, p.received_at, p.id
     LIMIT 1;
    RETURN found;
END
$$;
