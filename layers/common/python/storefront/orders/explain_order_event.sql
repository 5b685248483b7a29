-- Says in words what an event of a timeline changed, and what staff should do. action: NULL if nothing.
CREATE OR REPLACE FUNCTION explain_order_event(event order_events, OUT message text, OUT action text)
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    CASE event.cause
        WHEN 'placed' THEN
            message := 'The order was placed.';
        WHEN 'expiry' THEN
            message := 'The order was not paid in time, so it was canceled.';
        WHEN 'status_change' THEN
            message := CASE event.to_status WHEN 'canceled' THEN 'The order was canceled, and its stock returned.'
                                            ELSE 'The order was completed.' END;
            action := CASE event.outcome WHEN 'needs_refund' THEN 'Refund the payment at the processor.' END;
        ELSE
            SELECT explained.message, explained.action INTO message, action
              FROM explain_payment_event(event.reason, event.received_payment_status) explained;
    END CASE;
END
$$;
