-- Returns an event as it may be stored: without its body, if the personal data of its customer was erased.
-- The caller has locked the order. For a known order whose data was not erased, there is nothing to do.
CREATE OR REPLACE FUNCTION without_erased_body(event payment_events, target orders) RETURNS payment_events
    LANGUAGE plpgsql AS $$
BEGIN
    IF target.personal_data_erased_at IS NOT NULL THEN
        event.body := NULL;
        event.body_is_base64 := NULL;
        -- Until now, nothing connected another event about this payment with the order.
        PERFORM erase_bodies_of_orders(ARRAY[target.id], ARRAY[event.payment_reference]);
    ELSIF event.payment_reference IS NOT NULL THEN
        PERFORM lock_payments(ARRAY[event.payment_reference]);
        IF EXISTS (SELECT FROM payment_events e
                    WHERE e.payment_reference = event.payment_reference AND e.body IS NULL) THEN
            event.body := NULL;
            event.body_is_base64 := NULL;
        END IF;
    END IF;
    RETURN event;
END
$$;
