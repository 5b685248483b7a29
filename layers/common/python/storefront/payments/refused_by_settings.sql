-- Returns why the settings refuse a payment event, or NULL if they accept it.
-- settings: optionally payment_mode (any, live, test) and payment_accounts.
CREATE OR REPLACE FUNCTION refused_by_settings(event payment_events, settings jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF event.livemode <> (nullif(settings ->> 'payment_mode', 'any') = 'live') THEN
        RETURN 'other_mode';
    ELSIF jsonb_array_length(settings -> 'payment_accounts') > 0
          AND NOT (settings -> 'payment_accounts') ? event.account THEN
        RETURN 'other_account';
    END IF;
    RETURN NULL;
END
$$;
