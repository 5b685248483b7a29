-- Says in words why the reconciliation lists an order, and what staff should do.
CREATE OR REPLACE FUNCTION explain_mismatch(kind text, target orders, OUT message text, OUT action text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_paid boolean := target.payment_status = 'paid';
BEGIN
    CASE kind
        WHEN 'paid_and_canceled' THEN
            message := 'The order was paid, but it is canceled.';
            action := 'Refund the payment at the processor. The timeline of the order names it.';
        WHEN 'completed_and_unpaid' THEN
            message := 'The order was completed without payment.';
            action := CASE WHEN EXISTS (SELECT FROM payment_events e
                                         WHERE e.order_id = target.id AND e.outcome = 'needs_review')
                THEN 'A payment for it needs review. Follow the other entry of this order.'
                ELSE 'If the customer paid in another way, such as in cash, do nothing. Otherwise, ask for the money.'
                END;
        WHEN 'held_too_long' THEN
            message := 'A payment takes too long, or needs review. Meanwhile, the order does not expire.';
            action := 'Look up the payment at the processor. Then complete or cancel the order.';
        WHEN 'pending_too_long' THEN
            message := CASE WHEN is_paid THEN 'The order is paid, but it is still pending.'
                            ELSE 'The order is still not paid.' END;
            action := CASE WHEN is_paid THEN 'Ship the goods, and complete the order.'
                           ELSE 'Ask the customer for the payment, or cancel the order.' END;
    END CASE;
END
$$;
