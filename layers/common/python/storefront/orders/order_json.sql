-- Returns an order with its line items as the API shows it.
CREATE OR REPLACE FUNCTION order_json(placed orders) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'id', placed.id,
        'customer_id', placed.customer_id,
        'status', placed.status,
        'payment_status', placed.payment_status,
        'total_price', placed.total_price::text,
        'order_items', (
            SELECT json_agg(json_build_object(
                       'id', item.id,
                       'product_id', item.product_id,
                       'product_name', item.product_name,
                       'quantity', item.quantity,
                       'price_at_purchase', item.price_at_purchase::text)
                   ORDER BY item.line_number)
              FROM order_items item
             WHERE item.order_id = placed.id),
        'created_at', rfc3339(placed.created_at),
        'updated_at', rfc3339(placed.updated_at))
$$;
