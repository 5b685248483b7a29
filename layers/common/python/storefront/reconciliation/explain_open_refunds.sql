-- Says what staff should do while refunds of money that does not simply pay its order are open, or NULL if none is.
-- payment: the one that the refunds are of. NULL for all payments in the order's currency, of which some must go back.
CREATE OR REPLACE FUNCTION explain_open_refunds(target orders, payment payments) RETURNS text
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    requested numeric;
    pending   numeric;
    rest      numeric;
    money     CONSTANT text := '%s ' || coalesce(payment.currency, target.currency);
BEGIN
    SELECT coalesce(sum(r.amount) FILTER (WHERE r.status = 'requested'), 0),
           coalesce(sum(r.amount) FILTER (WHERE r.status = 'pending'), 0)
      INTO requested, pending
      FROM refunds r
     WHERE r.order_id = target.id
       AND CASE WHEN payment.id IS NULL THEN r.currency = target.currency ELSE r.payment_id = payment.id END;
    IF requested + pending = 0 THEN
        RETURN NULL;
    END IF;
    rest := CASE WHEN payment.id IS NOT NULL THEN left_of_payment(payment)
                 ELSE target.paid_amount - target.refunded_amount - target.lost_amount - requested - pending
                     - CASE WHEN target.status = 'canceled' THEN 0 ELSE target.total_price END
                 END;
    RETURN concat_ws(' ',
        CASE WHEN pending > 0 THEN format('A refund of ' || money || ' is under way.', money_text(pending)) END,
        CASE WHEN requested > 0 THEN format('A refund of ' || money || ' is requested. Make it at the processor, if no '
            'program of your shop does.', money_text(requested)) END,
        CASE WHEN rest <= 0 THEN NULL
             WHEN target.status = 'canceled' OR target.total_price = 0 OR coalesce(payment.reason, 'paid_twice') = 'paid_twice'
                 THEN format('Request a refund of the other ' || money || ', too, or make it at the processor.',
                             money_text(rest))
             ELSE 'If you do not accept the rest either, refund it, too.' END);
END
$$;
