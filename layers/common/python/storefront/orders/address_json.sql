-- Returns an address as the API shows it: with its lines in the usual order, which jsonb does not keep.
CREATE OR REPLACE FUNCTION address_json(address jsonb) RETURNS json
    LANGUAGE plpgsql IMMUTABLE STRICT AS $$
BEGIN
    RETURN json_build_object(
        'name', address ->> 'name',
        'company', address ->> 'company',
        'line1', address ->> 'line1',
        'line2', address ->> 'line2',
        'city', address ->> 'city',
        'region', address ->> 'region',
        'postal_code', address ->> 'postal_code',
        'country', address ->> 'country',
        'phone', address ->> 'phone');
END
$$;
