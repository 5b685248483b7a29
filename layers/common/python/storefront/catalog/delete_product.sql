-- Takes a product off sale and out of every read; the row stays for the orders that name it.
-- Outcomes: deleted, unknown_product.
CREATE OR REPLACE FUNCTION delete_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
BEGIN
    UPDATE products
       SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
     WHERE id = (request ->> 'id')::uuid AND deleted_at IS NULL;
    outcome := CASE WHEN FOUND THEN 'deleted' ELSE 'unknown_product' END;
END
$$;
