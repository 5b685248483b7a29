-- The settings that the previous release does not send with an order. Set again at each deployment, before the
-- migrations.
CREATE OR REPLACE FUNCTION default_currency() RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN :currency;
COMMENT ON FUNCTION default_currency IS 'The setting Currency.';

CREATE OR REPLACE FUNCTION default_expiry(placed_at timestamptz) RETURNS timestamptz
    LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE WHEN :order_time_to_live = 0 THEN 'infinity'
                ELSE placed_at + make_interval(mins => :order_time_to_live) END;
END
$$;
COMMENT ON FUNCTION default_expiry IS 'When an order of the previous release expires, by the setting OrderTimeToLiveMinutes.';
