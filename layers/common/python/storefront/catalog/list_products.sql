-- The products on sale that the request's filters let through. Outcome: listed.
CREATE OR REPLACE FUNCTION list_products(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    filter text := 't.deleted_at IS NULL';
    sort   text := ltrim(request ->> 'sort', '-');
BEGIN
    filter := filter || CASE (request ->> 'in_stock')::boolean
        WHEN true THEN ' AND t.quantity > 0'
        WHEN false THEN ' AND t.quantity = 0'
        ELSE '' END;
    IF request ->> 'q' IS NOT NULL THEN
        filter := filter || ' AND words(t.name) @> words($1 ->> ''q'')';
    END IF;
    IF request ->> 'min_price' IS NOT NULL THEN
        filter := filter || ' AND t.price >= ($1 ->> ''min_price'')::numeric';
    END IF;
    IF request ->> 'max_price' IS NOT NULL THEN
        filter := filter || ' AND t.price <= ($1 ->> ''max_price'')::numeric';
    END IF;
    outcome := 'listed';
    body := read_page(request, 'products', filter, 'product_json(t)',
        ARRAY[sort, 'id'],
        ARRAY[CASE sort WHEN 'created_at' THEN 'timestamptz' WHEN 'name' THEN 'text'
                        WHEN 'price' THEN 'numeric' WHEN 'quantity' THEN 'integer' END, 'uuid'],
        descending => request ->> 'sort' LIKE '-%');
END
$$;
