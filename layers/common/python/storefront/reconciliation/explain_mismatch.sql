-- Says in words why the reconciliation lists an entry, and what staff should do.
-- event, payment, refund: what the entry is about, or NULL.
CREATE OR REPLACE FUNCTION explain_mismatch(
    kind text, target orders, event payment_events, payment payments, refund refunds, OUT message text, OUT action text
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_paid boolean := target.payment_status = 'paid';
    left_over CONSTANT numeric := target.paid_amount - target.refunded_amount - target.lost_amount;
    acknowledge CONSTANT text := ' Then acknowledge this entry.';
BEGIN
    CASE
        WHEN kind = 'over_refunded' THEN
            message := format('Refunds of a payment of %s %s are too high: %s went back, and %s are requested or under way.',
                money_text(payment.amount), payment.currency, money_text(payment.refunded_amount + payment.lost_amount),
                money_text(payment.open_amount));
            action := CASE WHEN payment.open_amount > 0
                THEN 'Check at the processor whether the open refunds are still needed. Cancel those that are not.'
                ELSE 'Look up the refunds at the processor. If the customer got too much, ask for it back.' || acknowledge
                END;
        WHEN kind = 'refund_failed' THEN
            message := format('A refund of %s %s failed. The customer did not get the money.', money_text(refund.amount),
                refund.currency);
            action := 'Look up the reason at the processor. Then request the refund again. If you pay in another way, '
                'acknowledge this entry.';
        WHEN kind = 'refund_stuck' AND refund.status = 'requested' THEN
            message := format('A refund of %s %s was requested, but nobody has made it yet.', money_text(refund.amount),
                refund.currency);
            action := 'Make the refund at the processor, or cancel it here.';
        WHEN kind = 'refund_stuck' THEN
            message := format('A refund of %s %s takes too long.', money_text(refund.amount), refund.currency);
            action := 'Look up the refund at the processor. If it was made, set it to succeeded here. If it was not, make it '
                'there, or cancel it here.';
        WHEN kind = 'disputed' THEN
            message := format('The customer disputes a payment of %s %s at their bank.', money_text(payment.amount),
                payment.currency);
            action := 'Answer the dispute at the processor before its deadline. Until it ends, do not refund the payment'
                || CASE target.status WHEN 'pending' THEN ', and do not ship the goods.' ELSE '.' END;
        WHEN payment.reported_refunds > payment.known_refunds THEN
            message := format('The processor reports refunds of %s %s in total, but only %s are known here.',
                money_text(payment.reported_refunds), payment.currency, money_text(payment.known_refunds));
            action := 'Have the processor send the events of its refunds again. If your webhook does not receive them, '
                'select their types at the processor first.';
        WHEN event.id IS NOT NULL THEN
            SELECT explained.message, explained.action INTO message, action
              FROM explain_payment_event(event, target) explained;
            -- Only an acknowledgement ends an entry without a payment.
            action := action || CASE WHEN payment.id IS NULL AND strpos(action, 'acknowledge') = 0 THEN acknowledge
                                     ELSE '' END;
        WHEN kind = 'paid_and_canceled' THEN
            message := format('The order is canceled, but %s %s of its money did not go back.', money_text(left_over),
                target.currency);
            action := coalesce(explain_open_refunds(target, NULL), 'Request a refund here, or make it at the processor.');
        WHEN kind = 'completed_and_unpaid' THEN
            message := CASE WHEN target.paid_amount >= target.total_price
                THEN 'The order was completed, but its money went back.' ELSE 'The order was completed without payment.' END;
            action := CASE WHEN EXISTS (SELECT FROM payments p WHERE p.order_id = target.id AND NOT p.is_settled)
                                OR EXISTS (SELECT FROM payment_events e WHERE e.order_id = target.id
                                              AND e.outcome = 'needs_review' AND e.payment_status = 'paid'
                                              AND NOT EXISTS (SELECT FROM payments p WHERE p.id = e.id))
                THEN 'A payment for it needs review. Follow the entry of that payment. If you accept what was paid, '
                    'acknowledge this entry, too.'
                ELSE 'If the customer paid in another way, such as in cash, acknowledge this entry. Otherwise, ask for '
                    'the money.'
                END;
        WHEN kind = 'held_too_long' THEN
            message := 'A payment takes too long, or needs review. Meanwhile, the order does not expire.';
            action := 'Look up the payment at the processor. Then complete or cancel the order.';
        WHEN kind = 'pending_too_long' AND is_paid AND left_over <= 0 AND target.paid_amount > 0 THEN
            message := 'The order is still pending, but its money went back.';
            action := 'Cancel the order.';
        WHEN kind = 'pending_too_long' THEN
            message := CASE WHEN is_paid THEN 'The order is paid, but it is still pending.'
                            ELSE 'The order is still not paid.' END;
            action := CASE WHEN EXISTS (SELECT FROM disputes d WHERE d.order_id = target.id AND d.status = 'open')
                               THEN 'Follow the entry of the open dispute. Do not ship the goods meanwhile.'
                           WHEN is_paid THEN 'Ship the goods, and complete the order.'
                           ELSE 'Ask the customer for the payment, or cancel the order.' END;
    END CASE;
    IF kind IN ('paid_and_canceled', 'paid_twice', 'paid_after_completion', 'amount_mismatch', 'refund_failed', 'refund_stuck')
       AND EXISTS (SELECT FROM disputes d
                    WHERE d.status = 'open' AND d.order_id = target.id AND d.payment_id = coalesce(payment.id, d.payment_id))
    THEN
        action := action || ' First follow the entry of the open dispute: it stops refunds.';
    END IF;
END
$$;
