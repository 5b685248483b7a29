-- Locks a product that is on sale, and checks it against the ETags of the request's if_match, where it has them.
-- Until the transaction ends nobody else can change it, so that the check holds for what is written next.
-- Outcomes: NULL where it may be changed; unknown_product, stale.
CREATE OR REPLACE FUNCTION lock_product(request jsonb, OUT outcome text, OUT product products)
    LANGUAGE plpgsql AS $$
BEGIN
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
