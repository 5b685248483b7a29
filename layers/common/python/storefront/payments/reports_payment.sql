-- Returns whether a payment event reports a payment, a refund or a dispute of an order that was found. At most one content
-- under an event ID does. All other contents under that ID are stored without an effect.
CREATE OR REPLACE FUNCTION reports_payment(event payment_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN num_nonnulls(event.payment_status, event.refund_status, event.dispute_status) > 0
       AND event.error IS NULL
       AND coalesce(event.reason, '') NOT IN (
           'no_order_named', 'unknown_order', 'payment_unknown', 'other_mode', 'other_account', 'other_content');
END
$$;
