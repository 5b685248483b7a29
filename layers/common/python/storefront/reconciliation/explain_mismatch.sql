-- Says in words why the reconciliation lists an entry, and what staff should do.
-- event, payment, refund: what the entry is about, or NULL.
CREATE OR REPLACE FUNCTION explain_mismatch(
    kind text, target orders, event payment_events, payment payments, refund refunds, OUT message text, OUT action text
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_paid boolean := target.payment_status = 'paid';
    left_over CONSTANT numeric := target.paid_amount - target.refunded_amount - target.lost_amount;
    ask_for_refund CONSTANT text := 'Request a refund here, or make it at the processor.';
BEGIN
    CASE
        WHEN kind = 'over_refunded' THEN
            message := format('Refunds of this payment add up to more than its amount: %s of %s %s went back, and %s are '
                'requested.', money_text(payment.refunded_amount + payment.lost_amount), money_text(payment.amount),
                payment.currency, money_text(payment.open_amount));
            action := CASE WHEN payment.open_amount > 0
                THEN 'Check whether an open refund is still needed. If not, cancel it.'
                ELSE 'Look up the refunds at the processor. If the customer got too much, ask for the rest.' END;
        WHEN kind = 'refund_failed' THEN
            message := format('A refund of %s %s failed. The customer did not get the money.', money_text(refund.amount),
                refund.currency);
            action := 'Look up the reason at the processor. Then request the refund again, or pay in another way and '
                'acknowledge this entry.';
        WHEN kind = 'refund_stuck' AND refund.status = 'requested' THEN
            message := format('A refund of %s %s was requested, but nobody executes it.', money_text(refund.amount),
                refund.currency);
            action := 'Make the refund at the processor, or cancel it here.';
        WHEN kind = 'refund_stuck' THEN
            message := format('A refund of %s %s takes too long.', money_text(refund.amount), refund.currency);
            action := 'Look up the refund at the processor. If it was made, set it to succeeded. If it was not, cancel it.';
        WHEN kind = 'disputed' THEN
            message := format('The customer disputes a payment of %s %s at their bank.', money_text(payment.amount),
                payment.currency);
            action := 'Answer the dispute at the processor before its deadline. Until it ends, do not refund the payment.';
        WHEN payment.reported_refunds > payment.known_refunds AND kind = 'amount_mismatch' THEN
            message := format('The processor reports refunds of %s %s in total, but only %s are known here.',
                money_text(payment.reported_refunds), payment.currency, money_text(payment.known_refunds));
            action := 'Let the processor send its refund events to the webhook, and send the missing ones again.';
        WHEN event.id IS NOT NULL THEN
            SELECT explained.message, explained.action INTO message, action
              FROM explain_payment_event(event, target) explained;
            IF payment.open_amount > 0 THEN
                action := 'A refund is requested. Wait until the processor confirms it.';
            ELSIF kind IN ('paid_and_canceled', 'paid_twice') THEN
                action := coalesce(action, ask_for_refund);
            END IF;
        WHEN kind = 'paid_and_canceled' THEN
            message := format('The order is canceled, but %s %s of its money were not refunded.', money_text(left_over),
                target.currency);
            action := CASE WHEN target.refund_status = 'pending'
                THEN 'A refund is requested. Wait until the processor confirms it.' ELSE ask_for_refund END;
        WHEN kind = 'completed_and_unpaid' THEN
            message := 'The order was completed without payment.';
            action := CASE WHEN EXISTS (SELECT FROM payment_events e
                                         WHERE e.order_id = target.id AND e.outcome = 'needs_review')
                THEN 'A payment for it needs review. Follow the other entry of this order.'
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
            action := CASE WHEN is_paid THEN 'Ship the goods, and complete the order.'
                           ELSE 'Ask the customer for the payment, or cancel the order.' END;
    END CASE;
END
$$;
