-- Adds the request's delta to the stock of a product.
-- Outcomes: adjusted; unknown_product; stale; insufficient_stock, with the available quantity.
CREATE OR REPLACE FUNCTION adjust_stock(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    change   integer := request ->> 'delta';
    locked   record;
    target   products;
    movement stock_movements;
BEGIN
    locked := lock_product(request);
    IF locked.outcome IS NOT NULL THEN
        outcome := locked.outcome;
        RETURN;
    END IF;
    target := locked.product;
    IF target.quantity::bigint + change < 0 THEN
        outcome := 'insufficient_stock';
        body := json_build_object('product_id', target.id, 'product_name', target.name,
                                  'requested', -change::bigint, 'available', target.quantity);
        RETURN;
    END IF;

    UPDATE products p SET quantity = p.quantity + change, updated_at = clock_timestamp()
     WHERE p.id = target.id
    RETURNING * INTO target;
    INSERT INTO stock_movements (product_id, kind, delta, quantity, reason, actor, request_id)
    VALUES (target.id, 'adjustment', change, target.quantity, request ->> 'reason', request ->> 'actor',
            request ->> 'request_id')
    RETURNING * INTO movement;

    outcome := 'adjusted';
    body := stock_movement_json(movement);
END
$$;
