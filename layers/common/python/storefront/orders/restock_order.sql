-- Gives the stock of an order back, to deleted products too. The caller holds the order's lock and
-- changes its status in the same transaction; nothing else keeps this from happening twice.
CREATE OR REPLACE FUNCTION restock_order(canceled_id uuid) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    -- In the order of ids, as place_order does, so that the two never deadlock.
    PERFORM FROM products p
      WHERE p.id IN (SELECT item.product_id FROM order_items item WHERE item.order_id = canceled_id)
      ORDER BY p.id
        FOR NO KEY UPDATE;

    UPDATE products p
       SET quantity = p.quantity + item.quantity, updated_at = clock_timestamp()
      FROM order_items item
     WHERE item.order_id = canceled_id AND p.id = item.product_id;
END
$$;
