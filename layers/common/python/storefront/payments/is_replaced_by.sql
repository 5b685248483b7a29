-- Returns whether a delivery replaces a stored event with the same ID, because the stored one had no effect yet.
-- It is not replaced if that would hide money for another order.
CREATE OR REPLACE FUNCTION is_replaced_by(stored payment_events, sent payment_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN coalesce(CASE
        WHEN stored.error IS NOT NULL AND sent.error IS NOT NULL THEN is_same_content(stored, sent)
        WHEN sent.error IS NOT NULL THEN false
        WHEN stored.error IS NOT NULL THEN stored.order_id IS NULL OR stored.order_id = sent.order_id
        -- The processor corrected the amount.
        WHEN stored.reader_reason = 'amount_unreadable' AND sent.reader_reason IS DISTINCT FROM 'amount_unreadable'
             AND (stored.order_id, stored.payment_status) = (sent.order_id, sent.payment_status) THEN true
        -- Earlier releases did not read refunds and disputes.
        WHEN is_about_refund(sent) AND stored.reason = 'type_not_ours' THEN true
        -- The order or the payment may exist by now, and the settings may have changed.
        WHEN is_same_content(stored, sent) THEN
            stored.reason IN ('unknown_order', 'payment_unknown', 'other_mode', 'other_account')
            OR is_about_refund(sent) AND stored.reason = 'amount_unreadable' AND sent.amount IS NOT NULL
               AND sent.reader_reason IS DISTINCT FROM 'amount_unreadable'
        -- The processor corrected the order.
        ELSE stored.reason IN ('unknown_order', 'no_order_named')
             AND stored.payment_status = sent.payment_status AND sent.order_id IS NOT NULL
        END, false);
END
$$;
