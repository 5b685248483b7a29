-- Returns the sum of an order's charges. NULL if there are none.
CREATE OR REPLACE FUNCTION charges_total(charges jsonb) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN (SELECT sum((charge ->> 'amount')::numeric) FROM jsonb_array_elements(charges) AS listed(charge));
END
$$;
