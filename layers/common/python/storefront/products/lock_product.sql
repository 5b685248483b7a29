-- Locks a product after a wait in its queue, and compares it with the ETags in the request's if_match, if any.
-- The lock keeps the result of the check valid until the transaction ends.
-- Outcomes: NULL if the product may be changed; unknown_product, stale.
CREATE OR REPLACE FUNCTION lock_product(request jsonb, OUT outcome text, OUT product products)
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM enter_queues(ARRAY[(request ->> 'id')::uuid]);
    SELECT * INTO product
      FROM products p
     WHERE p.id = (request ->> 'id')::uuid AND p.deleted_at IS NULL
       FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        outcome := 'unknown_product';
    ELSIF jsonb_typeof(request -> 'if_match') = 'array' AND NOT request -> 'if_match' ? product_etag(product) THEN
        outcome := 'stale';
    END IF;
END
$$;
