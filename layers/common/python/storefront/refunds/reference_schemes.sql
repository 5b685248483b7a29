-- Returns which references of payments a refund or dispute event can name: the processor's own (empty), and the IDs of
-- events in its scheme. Stripe always names the payment itself.
CREATE OR REPLACE FUNCTION reference_schemes(event payment_events) RETURNS text[]
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE WHEN event.provider = 'stripe' THEN ARRAY[''] ELSE ARRAY['', event.scheme] END;
END
$$;
