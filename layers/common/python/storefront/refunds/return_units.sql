-- Returns the units of a refund to the stock, also to deleted products.
CREATE OR REPLACE FUNCTION return_units(refund refunds, request jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    product_ids uuid[];
BEGIN
    product_ids := ARRAY(SELECT item.product_id FROM refund_lines l JOIN order_items item ON item.id = l.order_item_id
                          WHERE l.refund_id = refund.id AND l.restock);
    PERFORM enter_queues(product_ids);
    -- All locks at once and in the order of IDs, as in place_order. This prevents deadlocks.
    PERFORM FROM products p
      WHERE p.id = ANY (product_ids)
      ORDER BY p.id
        FOR NO KEY UPDATE;
    WITH returned AS (
        UPDATE products p
           SET quantity = p.quantity + l.quantity, updated_at = clock_timestamp()
          FROM refund_lines l
          JOIN order_items item ON item.id = l.order_item_id
         WHERE l.refund_id = refund.id AND l.restock AND p.id = item.product_id
        RETURNING p.id, p.quantity, l.quantity AS units
    )
    INSERT INTO stock_movements (product_id, kind, delta, quantity, refund_id, actor, request_id)
    SELECT r.id, 'return', r.units, r.quantity, refund.id, request ->> 'actor', request ->> 'request_id'
      FROM returned r
     ORDER BY r.id;
END
$$;
