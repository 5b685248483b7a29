-- Returns whether a payment event reports a payment for an order that was found. At most one content under an event ID
-- does. All other contents under that ID are stored without an effect on the payment status.
CREATE OR REPLACE FUNCTION reports_payment(event payment_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN event.payment_status IS NOT NULL
       AND event.error IS NULL
       AND coalesce(event.reason, '') NOT IN (
           'no_order_named', 'unknown_order', 'other_mode', 'other_account', 'other_content');
END
$$;
