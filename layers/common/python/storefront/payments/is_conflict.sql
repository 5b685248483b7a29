-- Returns whether a payment event reports a payment, and another content under its ID does too. No rule can decide
-- between the two. The caller has locked the first content under the ID.
CREATE OR REPLACE FUNCTION is_conflict(event payment_events) RETURNS boolean
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (reports_payment(event) OR event.payment_status IS NOT NULL AND event.outcome = 'unknown_order')
       AND EXISTS (SELECT FROM payment_events e
                    WHERE e.event_id = event.event_id AND e.scheme = event.scheme
                      AND e.id <> event.id AND reports_payment(e));
END
$$;
