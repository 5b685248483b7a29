-- Says in words why an order is pending for too long, and what staff should do.
CREATE OR REPLACE FUNCTION explain_pending_order(target orders, OUT message text, OUT action text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_paid      CONSTANT boolean := target.payment_status = 'paid';
    left_over    CONSTANT numeric := target.paid_amount - target.refunded_amount - target.lost_amount;
    went_back    CONSTANT boolean := is_paid AND left_over <= 0 AND target.paid_amount > 0;
    open_refunds CONSTANT record := describe_open_refunds(target, NULL);
BEGIN
    message := CASE WHEN went_back THEN 'The order is still pending, but its money went back.'
                    WHEN is_paid THEN 'The order is paid, but it is still pending.'
                    ELSE 'The order is still not paid.' END;
    action := CASE
        WHEN went_back THEN 'Cancel the order.'
        WHEN EXISTS (SELECT FROM disputes d WHERE d.order_id = target.id AND d.status = 'open')
            THEN 'Follow the entry of the open dispute. Do not ship the goods meanwhile.'
        WHEN NOT is_paid THEN 'Ask the customer for the payment, or cancel the order.'
        WHEN target.paid_amount = 0 OR left_over - open_refunds.amount >= target.total_price
            THEN 'Ship the goods, and complete the order.'
        ELSE concat_ws(' ', nullif(open_refunds.message, ''), CASE
            WHEN left_over <= open_refunds.amount
                THEN 'Do not ship the goods. When the money went back, cancel the order.'
            ELSE 'Ship the goods that were not refunded, and complete the order.' END)
        END;
END
$$;
