-- One page of the products on sale, with how many there are. Outcome: listed.
-- The statement is put together from the texts below alone, never from the request, so that each filter
-- and order gets a plan of its own and finds its index.
CREATE OR REPLACE FUNCTION list_products(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    page      integer := (request ->> 'page')::integer;
    page_size integer := (request ->> 'page_size')::integer;
    filter    text := 'p.deleted_at IS NULL';
    ordering  text;
    items     json;
    total     bigint;
BEGIN
    filter := filter || CASE (request ->> 'in_stock')::boolean
        WHEN true THEN ' AND p.quantity > 0'
        WHEN false THEN ' AND p.quantity = 0'
        ELSE '' END;
    ordering := CASE request ->> 'sort'
        WHEN 'created_at' THEN 'p.created_at, p.id'
        WHEN '-created_at' THEN 'p.created_at DESC, p.id DESC'
        WHEN 'name' THEN 'p.name, p.id'
        WHEN '-name' THEN 'p.name DESC, p.id DESC'
        WHEN 'price' THEN 'p.price, p.id'
        WHEN '-price' THEN 'p.price DESC, p.id DESC'
        WHEN 'quantity' THEN 'p.quantity, p.id'
        WHEN '-quantity' THEN 'p.quantity DESC, p.id DESC'
        END;
    EXECUTE 'SELECT count(*) FROM products p WHERE ' || filter INTO total;
    -- json_agg takes the rows as they come, which is the order of the page.
    EXECUTE 'SELECT coalesce(json_agg(product_json(page.p)), ''[]'') FROM ('
            'SELECT p FROM products p WHERE ' || filter ||
            ' ORDER BY ' || ordering || ' LIMIT $1 OFFSET $2) page'
       INTO items USING page_size, (page - 1)::bigint * page_size;
    outcome := 'listed';
    body := page_json(items, total, page, page_size);
END
$$;
