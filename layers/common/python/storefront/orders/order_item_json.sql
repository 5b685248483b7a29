-- Returns a line item as the API shows it. In plain SQL, so that the statement that calls it contains it.
CREATE OR REPLACE FUNCTION order_item_json(item order_items) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'id', item.id,
        'product_id', item.product_id,
        'sku', item.sku,
        'product_name', item.product_name,
        'quantity', item.quantity,
        'price_at_purchase', item.price_at_purchase::text)
$$;
