-- The products on sale that the request's filters let through. Outcome: listed.
CREATE OR REPLACE FUNCTION page_of_products(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    few_matches CONSTANT integer := 1000;
    filter text := 't.deleted_at IS NULL';
    sort   text := ltrim(request ->> 'sort', '-');
    few    boolean := false;
BEGIN
    filter := filter || CASE (request ->> 'in_stock')::boolean
        WHEN true THEN ' AND t.quantity > 0'
        WHEN false THEN ' AND t.quantity = 0'
        ELSE '' END;
    IF request ->> 'q' IS NOT NULL THEN
        -- Every name has all of no words.
        filter := filter || ' AND words(t.name) @> words($1 ->> ''q'') AND words($1 ->> ''q'') <> ''{}''';
        -- The planner takes a word that it has not heard of for one in 200 products, and would read the whole list for it.
        SELECT count(*) <= few_matches INTO few
          FROM (SELECT FROM products t
                 WHERE t.deleted_at IS NULL AND words(t.name) @> words(request ->> 'q')
                 LIMIT few_matches + 1) matching;
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
        descending => request ->> 'sort' LIKE '-%', few => few);
END
$$;
