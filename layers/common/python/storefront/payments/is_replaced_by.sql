-- Returns whether a delivery replaces a stored event with the same ID, because the stored one had no effect yet:
-- it could not be read, or its order could not be found. It is not replaced if that would hide another order's money.
CREATE OR REPLACE FUNCTION is_replaced_by(stored payment_events, sent payment_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN sent.error IS NOT NULL THEN stored.error IS NOT NULL AND is_same_content(stored, sent)
        WHEN stored.error IS NOT NULL THEN stored.order_id IS NULL OR stored.order_id IS NOT DISTINCT FROM sent.order_id
        WHEN stored.reason = 'unknown_order' AND is_same_content(stored, sent) THEN true
        ELSE coalesce(stored.reason IN ('unknown_order', 'no_order_named')
                      AND stored.payment_status = sent.payment_status AND sent.order_id IS NOT NULL, false)
        END;
END
$$;
