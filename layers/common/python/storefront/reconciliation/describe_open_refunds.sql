-- Returns the sum of the open refunds, and describes them in words.
-- payment: the one that they are of. NULL for all payments in the order's currency.
CREATE OR REPLACE FUNCTION describe_open_refunds(target orders, payment payments, OUT amount numeric, OUT message text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    requested numeric;
    pending   numeric;
    currency  CONSTANT text := coalesce(payment.currency, target.currency);
BEGIN
    SELECT coalesce(sum(r.amount) FILTER (WHERE r.status = 'requested'), 0),
           coalesce(sum(r.amount) FILTER (WHERE r.status = 'pending'), 0)
      INTO requested, pending
      FROM refunds r
     WHERE r.order_id = target.id
       AND CASE WHEN payment.id IS NULL THEN r.currency = target.currency ELSE r.payment_id = payment.id END;
    amount := requested + pending;
    message := concat_ws(' ',
        CASE WHEN pending > 0 THEN format('A refund of %s %s is under way.', money_text(pending), currency) END,
        CASE WHEN requested > 0 THEN format('A refund of %s %s is requested. Make it at the processor, if no program of '
            'your shop does.', money_text(requested), currency) END);
END
$$;
