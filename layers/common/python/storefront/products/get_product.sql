-- Reads one product.
-- Outcomes: found, unknown_product.
CREATE OR REPLACE FUNCTION get_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT 'found', product_json(p)::text INTO outcome, body
      FROM products p
     WHERE p.id = (request ->> 'id')::uuid AND p.deleted_at IS NULL;
    outcome := coalesce(outcome, 'unknown_product');
END
$$;
