-- The products on sale that the request's filters let through. Outcome: listed.
CREATE OR REPLACE FUNCTION page_of_products(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    few_matches CONSTANT integer := 1000;
    filter text := 't.deleted_at IS NULL AND ' || filter_of(request, jsonb_build_object(
        -- Words of its own for each of the two, so that each finds its index.
        'in_stock', CASE WHEN (request ->> 'in_stock')::boolean THEN 't.quantity > 0' ELSE 't.quantity = 0' END,
        -- Every name has all of no words.
        'q', 'words(t.name) @> words($1 ->> ''q'') AND words($1 ->> ''q'') <> ''{}''',
        'min_price', 't.price >= ($1 ->> ''min_price'')::numeric',
        'max_price', 't.price <= ($1 ->> ''max_price'')::numeric'));
    sort   text := ltrim(request ->> 'sort', '-');
    few    boolean := false;
BEGIN
    IF request ->> 'q' IS NOT NULL THEN
        -- The planner takes a word that it has not heard of for one in 200 products, and would read the whole list for it.
        SELECT count(*) <= few_matches INTO few
          FROM (SELECT FROM products t
                 WHERE t.deleted_at IS NULL AND words(t.name) @> words(request ->> 'q')
                 LIMIT few_matches + 1) matching;
    END IF;
    outcome := 'listed';
    body := read_page(request, 'products', filter, 'product_json(t)',
        ARRAY[sort, 'id'],
        ARRAY[CASE sort WHEN 'created_at' THEN 'timestamptz' WHEN 'name' THEN 'text'
                        WHEN 'price' THEN 'numeric' WHEN 'quantity' THEN 'integer' END, 'uuid'],
        descending => request ->> 'sort' LIKE '-%', few => few);
END
$$;
