-- Returns an order with its line items as the API shows it.
-- PL/pgSQL evaluates an expression without a subquery directly, which costs less than a function in plain SQL.
CREATE OR REPLACE FUNCTION order_json(placed orders) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    items    json;
    charges  json := '[]';
    subtotal numeric := placed.total_price;
BEGIN
    SELECT json_agg(json_build_object(
               'id', item.id,
               'product_id', item.product_id,
               'sku', item.sku,
               'product_name', item.product_name,
               'quantity', item.quantity,
               'price_at_purchase', item.price_at_purchase::text)
           ORDER BY item.line_number)
      INTO items
      FROM order_items item
     WHERE item.order_id = placed.id;
    IF placed.charges IS NOT NULL THEN
        SELECT json_agg(map_json(charge) ORDER BY position)
          INTO charges
          FROM jsonb_array_elements(placed.charges) WITH ORDINALITY AS listed(charge, position);
        subtotal := placed.total_price - charges_total(placed.charges);
    END IF;
    RETURN json_build_object(
        'id', placed.id,
        'number', placed.number,
        'reference', placed.reference,
        'customer_id', placed.customer_id,
        'status', placed.status,
        'payment_status', placed.payment_status,
        'currency', placed.currency,
        'subtotal', subtotal::text,
        'charges', charges,
        'total_price', placed.total_price::text,
        'paid_amount', (placed.paid_amount + 0.00)::text,
        'refunded_amount', (placed.refunded_amount + 0.00)::text,
        'refund_status', placed.refund_status,
        'order_items', items,
        'email', placed.email,
        'shipping_address', address_json(placed.shipping_address),
        'billing_address', address_json(placed.billing_address),
        'note', placed.note,
        'metadata', coalesce(map_json(placed.metadata), '{}'),
        -- A paid order never expires. Nor does one that is not pending any more.
        'expires_at', CASE WHEN placed.status = 'pending' AND placed.payment_status <> 'paid'
                           THEN rfc3339(nullif(placed.expires_at, 'infinity')) END,
        'created_at', rfc3339(placed.created_at),
        'updated_at', rfc3339(placed.updated_at));
END
$$;
