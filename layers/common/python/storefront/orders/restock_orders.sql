-- Returns the stock of orders, also to deleted products, except for the units that refunds returned before.
-- The caller has locked the orders, and changes their status in the same transaction.
CREATE OR REPLACE FUNCTION restock_orders(canceled_ids uuid[], request jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    product_ids uuid[];
BEGIN
    product_ids := ARRAY(SELECT item.product_id FROM order_items item WHERE item.order_id = ANY (canceled_ids));
    PERFORM enter_queues(product_ids);
    -- All locks at once and in the order of IDs, as in place_order. This prevents deadlocks.
    PERFORM FROM products p
      WHERE p.id = ANY (product_ids)
      ORDER BY p.id
        FOR NO KEY UPDATE;

    WITH kept AS (
        SELECT item.product_id, item.order_id, item.quantity - units_returned(item) AS quantity
          FROM order_items item
         WHERE item.order_id = ANY (canceled_ids)
    ),
    restocked AS (
        UPDATE products p
           SET quantity = p.quantity + given_back.quantity, updated_at = clock_timestamp()
          FROM (SELECT product_id, sum(quantity) AS quantity FROM kept WHERE quantity > 0 GROUP BY product_id) given_back
         WHERE p.id = given_back.product_id
        RETURNING p.id, p.quantity
    )
    INSERT INTO stock_movements (product_id, kind, delta, quantity, order_id, actor, request_id)
    SELECT k.product_id, 'restock', k.quantity,
           -- Without what the following movements return.
           p.quantity - coalesce(sum(k.quantity) OVER following, 0),
           k.order_id, request ->> 'actor', request ->> 'request_id'
      FROM kept k
      JOIN restocked p ON p.id = k.product_id
     WHERE k.quantity > 0
    WINDOW following AS (PARTITION BY k.product_id ORDER BY k.order_id
                         ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING)
     ORDER BY k.product_id, k.order_id;
END
$$;
