-- Returns the opaque part of a product's ETag: the SHA-256, in hex, of the text in the API's response.
CREATE OR REPLACE FUNCTION product_etag(product products) RETURNS text
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN encode(sha256(convert_to(product_json(product)::text, 'UTF8')), 'hex');
END
$$;
