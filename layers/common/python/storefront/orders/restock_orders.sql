-- Returns the stock of orders, also to deleted products.
-- The caller has locked the orders, and changes their status in the same transaction.
CREATE OR REPLACE FUNCTION restock_orders(canceled_ids uuid[], request jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    -- All locks at once and in the order of IDs, as in place_order. This prevents deadlocks.
    PERFORM FROM products p
      WHERE p.id IN (SELECT item.product_id FROM order_items item WHERE item.order_id = ANY (canceled_ids))
      ORDER BY p.id
        FOR NO KEY UPDATE;

    WITH restocked AS (
        UPDATE products p
           SET quantity = p.quantity + given_back.quantity, updated_at = clock_timestamp()
          FROM (SELECT item.product_id, sum(item.quantity) AS quantity
                  FROM order_items item
                 WHERE item.order_id = ANY (canceled_ids)
                 GROUP BY item.product_id) given_back
         WHERE p.id = given_back.product_id
        RETURNING p.id, p.quantity
    )
    INSERT INTO stock_movements (product_id, kind, delta, quantity, order_id, actor, request_id)
    SELECT item.product_id, 'restock', item.quantity,
           -- Without what the following movements return.
           p.quantity - coalesce(sum(item.quantity) OVER following, 0),
           item.order_id, request ->> 'actor', request ->> 'request_id'
      FROM order_items item
      JOIN restocked p ON p.id = item.product_id
     WHERE item.order_id = ANY (canceled_ids)
    WINDOW following AS (PARTITION BY item.product_id ORDER BY item.order_id
                         ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
     ORDER BY item.product_id, item.order_id;
END
$$;
