-- Changes the fields of a product that the request contains. A new quantity is also a stock movement.
-- Outcomes: updated, unknown_product, stale, sku_taken.
CREATE OR REPLACE FUNCTION update_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    locked record;
    before products;
    after  products;
BEGIN
    locked := lock_product(request);
    IF locked.outcome IS NOT NULL THEN
        outcome := locked.outcome;
        RETURN;
    END IF;
    before := locked.product;

    -- Keeps the fields that the request does not contain.
    after := jsonb_populate_record(before, request -> 'changes');
    -- Without a change, the product keeps its ETag.
    IF after IS DISTINCT FROM before THEN
        BEGIN
            UPDATE products p
               SET name = after.name,
                   description = after.description,
                   price = after.price,
                   quantity = after.quantity,
                   sku = after.sku,
                   metadata = after.metadata,
                   -- Not now(), which is the time at which the transaction began, before it waited for the lock.
                   updated_at = clock_timestamp()
             WHERE p.id = before.id
            RETURNING * INTO after;
        -- By the index on SKUs. It waits for a transaction that is taking or freeing the same SKU.
        EXCEPTION WHEN unique_violation THEN
            outcome := 'sku_taken';
            RETURN;
        END;
    END IF;

    IF after.quantity <> before.quantity THEN
        INSERT INTO stock_movements (product_id, kind, delta, quantity, reason, actor, request_id)
        VALUES (after.id, 'adjustment', after.quantity::bigint - before.quantity, after.quantity, 'quantity set',
                request ->> 'actor', request ->> 'request_id');
    END IF;

    outcome := 'updated';
    body := product_json(after);
END
$$;
