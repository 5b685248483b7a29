-- Lists the stock movements of a product, newest first.
-- Outcomes: listed, unknown_product.
CREATE OR REPLACE FUNCTION list_stock_movements(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    page      record;
    movements stock_movements[];
BEGIN
    IF NOT EXISTS (SELECT FROM products p WHERE p.id = (request ->> 'id')::uuid AND p.deleted_at IS NULL) THEN
        outcome := 'unknown_product';
        RETURN;
    END IF;
    outcome := 'listed';
    page := read_page(request, NULL::stock_movements, 't.product_id = ($1 ->> ''id'')::uuid', ARRAY['id'],
        descending => true);
    movements := page.rows;
    -- Movements of earlier releases have no quantity. Only if the newest one on the page has none, its older ones are
    -- read. Each other one has the quantity before the next newer movement.
    IF cardinality(movements) > 0 AND movements[1].quantity IS NULL THEN
        movements[1].quantity := (
            SELECT sum(m.delta) FROM stock_movements m
             WHERE m.product_id = movements[1].product_id AND m.id <= movements[1].id);
    END IF;
    FOR n IN 2 .. cardinality(movements) LOOP
        IF movements[n].quantity IS NULL THEN
            movements[n].quantity := movements[n - 1].quantity - movements[n - 1].delta;
        END IF;
    END LOOP;
    body := page_body(page.head, (SELECT json_agg(stock_movement_json(m)) FROM unnest(movements) m));
END
$$;
