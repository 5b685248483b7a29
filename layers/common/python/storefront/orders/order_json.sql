-- Returns an order with its line items as the API shows it.
CREATE OR REPLACE FUNCTION order_json(placed orders) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'id', placed.id,
        'number', placed.number,
        'reference', placed.reference,
        'customer_id', placed.customer_id,
        'status', placed.status,
        'payment_status', placed.payment_status,
        'currency', placed.currency,
        'subtotal', CASE WHEN placed.charges IS NULL THEN placed.total_price
                         ELSE placed.total_price - charges_total(placed.charges) END::text,
        'charges', CASE WHEN placed.charges IS NULL THEN '[]'
                        ELSE (SELECT json_agg(map_json(charge) ORDER BY position)
                                FROM jsonb_array_elements(placed.charges) WITH ORDINALITY AS listed(charge, position))
                        END,
        'total_price', placed.total_price::text,
        'order_items', (
            SELECT json_agg(json_build_object(
                       'id', item.id,
                       'product_id', item.product_id,
                       'sku', item.sku,
                       'product_name', item.product_name,
                       'quantity', item.quantity,
                       'price_at_purchase', item.price_at_purchase::text)
                   ORDER BY item.line_number)
              FROM order_items item
             WHERE item.order_id = placed.id),
        'email', placed.email,
        'shipping_address', map_json(placed.shipping_address),
        'billing_address', map_json(placed.billing_address),
        'note', placed.note,
        'metadata', coalesce(map_json(placed.metadata), '{}'),
        -- A paid order never expires. Nor does one that is not pending any more.
        'expires_at', CASE WHEN placed.status = 'pending' AND placed.payment_status <> 'paid'
                           THEN rfc3339(nullif(placed.expires_at, 'infinity')) END,
        'created_at', rfc3339(placed.created_at),
        'updated_at', rfc3339(placed.updated_at))
$$;
