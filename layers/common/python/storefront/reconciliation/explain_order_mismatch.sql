-- Says in words why the reconciliation lists a canceled, a completed or a held order, and what staff should do.
CREATE OR REPLACE FUNCTION explain_order_mismatch(kind text, target orders, OUT message text, OUT action text)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    CASE kind
        WHEN 'paid_and_canceled' THEN
            message := format('The order is canceled, but %s %s of its money did not go back.',
                money_text(target.paid_amount - target.refunded_amount - target.lost_amount), target.currency);
            action := coalesce(explain_open_refunds(target, NULL), 'Request a refund here, or make it at the processor.');
        WHEN 'completed_and_unpaid' THEN
            message := CASE
                WHEN target.paid_amount >= target.total_price THEN 'The order was completed, but its money went back.'
                WHEN target.paid_amount > 0
                    THEN format('The order was completed without its full payment. %s of %s %s were paid.',
                        money_text(target.paid_amount), money_text(target.total_price), target.currency)
                ELSE 'The order was completed without payment.' END;
            action := CASE WHEN EXISTS (SELECT FROM payments p WHERE p.order_id = target.id AND NOT p.is_settled)
                                OR EXISTS (SELECT FROM payment_events e WHERE e.order_id = target.id
                                              AND e.outcome = 'needs_review' AND e.payment_status = 'paid'
                                              AND NOT EXISTS (SELECT FROM payments p WHERE p.id = e.id))
                THEN 'A payment for it needs review. Follow the entry of that payment. If you accept what was paid, '
                    'acknowledge this entry, too.'
                ELSE 'If the customer paid in another way, such as in cash, acknowledge this entry. Otherwise, ask for '
                    'the money.'
                END;
        WHEN 'held_too_long' THEN
            message := 'A payment takes too long, or needs review. Meanwhile, the order does not expire.';
            action := 'Look up the payment at the processor. Then complete or cancel the order.';
    END CASE;
END
$$;
