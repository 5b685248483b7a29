-- Returns a product as the API shows it.
CREATE OR REPLACE FUNCTION product_json(product products) RETURNS json
    LANGUAGE sql STABLE AS $$
    SELECT json_build_object(
        'id', product.id,
        'sku', product.sku,
        'name', product.name,
        'description', product.description,
        'price', product.price::text,
        'quantity', product.quantity,
        'metadata', coalesce(map_json(product.metadata), '{}'),
        'created_at', rfc3339(product.created_at),
        'updated_at', rfc3339(product.updated_at))
$$;
