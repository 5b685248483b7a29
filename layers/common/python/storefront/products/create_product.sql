-- Creates a product, and records its stock as the first movement.
-- Outcome: created.
CREATE OR REPLACE FUNCTION create_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    moment  timestamptz := clock_timestamp();
    created products;
BEGIN
    INSERT INTO products (name, description, price, quantity, created_at, updated_at)
    VALUES (request ->> 'name', request ->> 'description',
            (request ->> 'price')::numeric, (request ->> 'quantity')::integer, moment, moment)
    RETURNING * INTO created;

    INSERT INTO stock_movements (product_id, kind, delta, actor, request_id)
    VALUES (created.id, 'opening', created.quantity, request ->> 'actor', request ->> 'request_id');

    outcome := 'created';
    body := product_json(created);
END
$$;
