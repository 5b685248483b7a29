-- Stores a new product. Outcome: created.
CREATE OR REPLACE FUNCTION create_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO products AS p (name, description, price, quantity)
    VALUES (request ->> 'name', request ->> 'description',
            (request ->> 'price')::numeric, (request ->> 'quantity')::integer)
    RETURNING 'created', product_json(p)::text INTO outcome, body;
END
$$;
