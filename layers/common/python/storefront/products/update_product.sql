-- Changes the fields of a product that the request contains. A new quantity is also a stock movement.
-- Outcomes: updated, unknown_product, stale.
CREATE OR REPLACE FUNCTION update_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    changes jsonb := request -> 'changes';
    locked  record;
    before  products;
    after   products;
BEGIN
    locked := lock_product(request);
    IF locked.outcome IS NOT NULL THEN
        outcome := locked.outcome;
        RETURN;
    END IF;
    before := locked.product;

    UPDATE products p
       SET name = CASE WHEN changes ? 'name' THEN changes ->> 'name' ELSE p.name END,
           description = CASE WHEN changes ? 'description' THEN changes ->> 'description' ELSE p.description END,
           price = CASE WHEN changes ? 'price' THEN (changes ->> 'price')::numeric ELSE p.price END,
           quantity = CASE WHEN changes ? 'quantity' THEN (changes ->> 'quantity')::integer ELSE p.quantity END,
           -- Not now(), which is the time at which the transaction began, before it waited for the lock.
           updated_at = clock_timestamp()
     WHERE p.id = before.id
    RETURNING * INTO after;

    IF after.quantity <> before.quantity THEN
        INSERT INTO stock_movements (product_id, kind, delta, reason, actor, request_id)
        VALUES (after.id, 'adjustment', after.quantity::bigint - before.quantity, 'quantity set',
                request ->> 'actor', request ->> 'request_id');
    END IF;

    outcome := 'updated';
    body := product_json(after);
END
$$;
