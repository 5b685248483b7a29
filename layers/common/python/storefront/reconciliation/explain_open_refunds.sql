-- Says what staff should do while refunds of money that does not simply pay its order are open, or NULL if none is.
-- payment: the one that the refunds are of. NULL for all payments in the order's currency, of which some must go back.
CREATE OR REPLACE FUNCTION explain_open_refunds(target orders, payment payments) RETURNS text
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    open_refunds CONSTANT record := describe_open_refunds(target, payment);
    rest         CONSTANT numeric := CASE
        WHEN payment.id IS NOT NULL THEN left_of_payment(payment)
        ELSE target.paid_amount - target.refunded_amount - target.lost_amount - open_refunds.amount
            - CASE WHEN target.status = 'canceled' THEN 0 ELSE target.total_price END
        END;
BEGIN
    IF open_refunds.amount = 0 THEN
        RETURN NULL;
    END IF;
    RETURN concat_ws(' ', open_refunds.message,
        CASE WHEN rest <= 0 THEN NULL
             WHEN target.status = 'canceled' OR target.total_price = 0 OR coalesce(payment.reason, 'paid_twice') = 'paid_twice'
                 THEN format('Request a refund of the other %s %s, too, or make it at the processor.', money_text(rest),
                             coalesce(payment.currency, target.currency))
             ELSE 'If you do not accept the rest either, refund it, too.' END);
END
$$;
