-- Changes the fields that the request names, and no others. Outcomes: updated, unknown_product.
CREATE OR REPLACE FUNCTION update_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    changes jsonb := request -> 'changes';
BEGIN
    UPDATE products p
       SET name = CASE WHEN changes ? 'name' THEN changes ->> 'name' ELSE p.name END,
           description = CASE WHEN changes ? 'description' THEN changes ->> 'description' ELSE p.description END,
           price = CASE WHEN changes ? 'price' THEN (changes ->> 'price')::numeric ELSE p.price END,
           quantity = CASE WHEN changes ? 'quantity' THEN (changes ->> 'quantity')::integer ELSE p.quantity END,
           -- The clock and not now(): a change that waited for another one's lock is the later of the two.
           updated_at = clock_timestamp()
     WHERE p.id = (request ->> 'id')::uuid AND p.deleted_at IS NULL
    RETURNING 'updated', product_json(p)::text INTO outcome, body;
    outcome := coalesce(outcome, 'unknown_product');
END
$$;
