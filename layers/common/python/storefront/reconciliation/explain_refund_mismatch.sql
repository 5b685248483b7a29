-- Says in words why the reconciliation lists a refund, a dispute, or a payment with too many refunds, and what staff
-- should do.
CREATE OR REPLACE FUNCTION explain_refund_mismatch(
    kind text, target orders, payment payments, refund refunds, OUT message text, OUT action text
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    amount CONSTANT text := format('%s %s', money_text(refund.amount), refund.currency);
    -- A program makes each pending refund, even while staff make it by hand.
    stop_program CONSTANT text := 'If a program makes your refunds, read its log, and stop it first. ';
BEGIN
    CASE
        WHEN kind = 'over_refunded' THEN
            message := format('More money goes back than the payment of %s %s: %s.', money_text(payment.amount),
                payment.currency, concat_ws(', ',
                    money_text(nullif(payment.refunded_amount, 0)) || ' by refunds that succeeded',
                    money_text(nullif(payment.lost_amount, 0)) || ' by lost disputes',
                    money_text(nullif(payment.open_amount, 0)) || ' by refunds that are requested or under way'));
            action := CASE WHEN payment.open_amount > 0
                THEN 'If a program makes your refunds, stop it first. Check at the processor whether the open refunds are '
                    'still needed. Cancel those that are not.'
                ELSE 'Look up the refunds and the disputes at the processor. If the customer got too much, ask for it back. '
                    'Then acknowledge this entry.'
                END;
        WHEN kind = 'refund_failed' THEN
            message := format('A refund of %s failed. The customer did not get the money.', amount);
            action := 'Look up the reason at the processor. Then request the refund again. If you pay in another way, '
                'acknowledge this entry.';
        WHEN kind = 'refund_stuck' AND refund.status = 'requested' THEN
            message := format('A refund of %s was requested, but nobody has made it yet.', amount);
            action := stop_program || 'Then make the refund at the processor, or cancel it here.';
        WHEN kind = 'refund_stuck' THEN
            message := format('A refund of %s takes too long.', amount);
            action := stop_program || 'Then look up the refund at the processor. If it was made, set it to succeeded here. If '
                'it was not, make it there, or cancel it here.';
        WHEN kind = 'disputed' THEN
            message := format('The customer disputes a payment of %s %s at their bank.', money_text(payment.amount),
                payment.currency);
            action := 'Answer the dispute at the processor before its deadline. Until it ends, do not refund the payment'
                || CASE target.status WHEN 'pending' THEN ', and do not ship the goods.' ELSE '.' END;
    END CASE;
END
$$;
