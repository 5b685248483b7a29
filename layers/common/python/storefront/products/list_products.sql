-- Lists the products that match the request's filters.
-- Outcomes: listed; no_words if q has no words, with an empty page for the release that does not know this outcome.
CREATE OR REPLACE FUNCTION list_products(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    few_matches CONSTANT integer := 1000;
    filter text := 't.deleted_at IS NULL AND ' || filter_of(request, jsonb_build_object(
        -- A different condition for each value, so that each one uses the index.
        'in_stock', CASE WHEN (request ->> 'in_stock')::boolean
            THEN 't.quantity_bucket > 0' ELSE 't.quantity_bucket = 0' END,
        -- A text without words would match every name.
        'q', 'words(t.name) @> words($1 ->> ''q'') AND words($1 ->> ''q'') <> ''{}''',
        'min_price', 't.price >= ($1 ->> ''min_price'')::numeric',
        'max_price', 't.price <= ($1 ->> ''max_price'')::numeric',
        -- The bucket finds the rows in the index.
        'max_quantity', 't.quantity_bucket <= quantity_bucket(($1 ->> ''max_quantity'')::integer) '
            'AND t.quantity <= ($1 ->> ''max_quantity'')::integer',
        'sku', 't.sku IS NOT NULL AND fold(t.sku) = fold($1 ->> ''sku'')'));
    sort_key text := quote_ident(ltrim(request ->> 'sort', '-'));
    keys   text[] := ARRAY[sort_key, 'id'];
    few    boolean := false;
    page   record;
BEGIN
    IF sort_key = 'quantity' THEN
        -- The index is on the bucket. Rows are sorted by quantity within each bucket.
        keys := array_prepend('quantity_bucket', keys);
    ELSIF sort_key = 'name' THEN
        keys[1] := 'folded_name';
    END IF;
    IF request ->> 'q' IS NOT NULL THEN
        -- The planner expects a word without statistics in 1 of 200 products, and would read the whole list for it.
        SELECT count(*) <= few_matches INTO few
          FROM (SELECT FROM products t
                 WHERE t.deleted_at IS NULL AND words(t.name) @> words(request ->> 'q')
                 LIMIT few_matches + 1) matching;
    END IF;
    outcome := CASE WHEN words(request ->> 'q') = '{}' THEN 'no_words' ELSE 'listed' END;
    page := read_page(request, NULL::products, filter, keys,
        descending => request ->> 'sort' LIKE '-%', few => few);
    body := page_body(page.head, (SELECT json_agg(product_json(t)) FROM unnest(page.rows) t));
END
$$;
