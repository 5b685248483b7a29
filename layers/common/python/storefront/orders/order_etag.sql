-- Returns the opaque part of an order's ETag: the SHA-256, in hex, of the text in the API's response.
CREATE OR REPLACE FUNCTION order_etag(placed orders) RETURNS text
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN encode(sha256(convert_to(order_json(placed)::text, 'UTF8')), 'hex');
END
$$;
