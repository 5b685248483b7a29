-- Returns whether a delivery has the content of a stored event. Bytes are compared only where they cannot be read:
-- Stripe puts a count of undelivered endpoints into each delivery. If a body was erased, what was read from it counts.
CREATE OR REPLACE FUNCTION is_same_content(stored payment_events, sent payment_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF sent.error IS NOT NULL THEN
        RETURN stored.id IS NOT NULL AND CASE
            WHEN stored.body IS NULL OR sent.body IS NULL THEN
                (stored.order_id, stored.payment_status, stored.type) IS NOT DISTINCT FROM
                (sent.order_id, sent.payment_status, sent.type)
            ELSE stored.body = sent.body
                 AND coalesce(stored.body_is_base64, false) = coalesce(sent.body_is_base64, false)
            END;
    END IF;
    RETURN stored.id IS NOT NULL AND stored.error IS NULL
       AND (stored.payment_status, stored.refund_status, stored.dispute_status, stored.type) IS NOT DISTINCT FROM
           (sent.payment_status, sent.refund_status, sent.dispute_status, sent.type)
       -- The order of a refund event is found by its payment, which may have been unknown before. An amount that is
       -- missing or that cannot be read is no other amount.
       AND CASE WHEN is_about_refund(sent) THEN
                    (stored.payment_reference, stored.object_reference)
                    IS NOT DISTINCT FROM (sent.payment_reference, sent.object_reference)
                    AND (sent.payment_reference IS NOT NULL OR (stored.order_id = sent.order_id) IS NOT FALSE)
                    AND (stored.amount = sent.amount) IS NOT FALSE AND (stored.currency = sent.currency) IS NOT FALSE
                ELSE stored.order_id IS NOT DISTINCT FROM sent.order_id END
       -- Only the reference and the amount of received money count. An amount that cannot be read is no other amount.
       AND (sent.payment_status IS DISTINCT FROM 'paid'
            OR (stored.payment_reference = sent.payment_reference) IS NOT FALSE
               AND (sent.reader_reason IS NOT DISTINCT FROM 'amount_unreadable'
                    OR (stored.amount, stored.currency) IS NOT DISTINCT FROM (sent.amount, sent.currency)))
       -- Events of an earlier release have neither.
       AND (stored.livemode = sent.livemode) IS NOT FALSE
       AND (stored.account = sent.account) IS NOT FALSE;
END
$$;
