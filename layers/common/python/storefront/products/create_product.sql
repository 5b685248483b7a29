-- Creates a product, and records its stock as the first movement.
-- Outcomes: created, sku_taken.
CREATE OR REPLACE FUNCTION create_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    moment  timestamptz := clock_timestamp();
    created products;
BEGIN
    BEGIN
        INSERT INTO products (name, description, price, quantity, sku, metadata, created_at, updated_at)
        VALUES (request ->> 'name', request ->> 'description',
                (request ->> 'price')::numeric, (request ->> 'quantity')::integer,
                request ->> 'sku', request -> 'metadata', moment, moment)
        RETURNING * INTO created;
    -- By the index on SKUs. It waits for a transaction that is taking or freeing the same SKU. ON CONFLICT would need
    -- the index, which a later step of the upgrade creates.
    EXCEPTION WHEN unique_violation THEN
        outcome := 'sku_taken';
        RETURN;
    END;

    INSERT INTO stock_movements (product_id, kind, delta, quantity, actor, request_id)
    VALUES (created.id, 'opening', created.quantity, created.quantity, request ->> 'actor', request ->> 'request_id');

    outcome := 'created';
    body := product_json(created);
END
$$;
