-- Counts the orders that do not expire because the webhook is silent, up to the request's maximum.
-- Outcome: counted, with their number.
CREATE OR REPLACE FUNCTION postponed_orders(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    outcome := 'counted';
    body := 0;
    IF webhook_is_silent((request ->> 'silence_hours')::integer) THEN
        SELECT count(*) INTO body
          FROM (SELECT FROM orders o
                 WHERE o.status = 'pending' AND o.payment_status <> 'paid' AND o.held_since IS NULL
                   AND o.expires_at <= now()
                 LIMIT (request ->> 'maximum')::integer) postponed;
    END IF;
END
$$;
