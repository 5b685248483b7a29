-- Returns the conditions on the row t for the filters of a list request, with the request as $1.
--   indexed       the conditions that an index finds: price, quantity (its bucket), sku and words. words is null if all
--                 words of the search are common. Otherwise, the request has the rare_words.
--   filter        all conditions together
--   estimated_by  a condition to estimate the number of matches; NULL if the index of the only condition can count them
CREATE OR REPLACE FUNCTION product_conditions(
    request jsonb, OUT indexed jsonb, OUT filter text, OUT estimated_by text
)
    LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    -- To compute the words takes longer than anything else in a list.
    name_words CONSTANT text := 'coalesce(t.name_words, words(t.name))';
    rare_words CONSTANT text := 'ARRAY(SELECT jsonb_array_elements_text($1 -> ''rare_words''))';
    -- A text without words would match every name.
    has_words CONSTANT text := 'words($1 ->> ''q'') <> ''{}''';
BEGIN
    -- Most pages have no filters, and do not pay for them.
    IF NOT jsonb_strip_nulls(request) ?| ARRAY['min_price', 'max_price', 'in_stock', 'max_quantity', 'sku', 'q'] THEN
        indexed := '{}';
        filter := 't.deleted_at IS NULL';
        RETURN;
    END IF;
    indexed := jsonb_build_object(
        'price', filter_of(request, jsonb_build_object(
            'min_price', 't.price >= ($1 ->> ''min_price'')::numeric',
            'max_price', 't.price <= ($1 ->> ''max_price'')::numeric')),
        'quantity', filter_of(request, jsonb_build_object(
            -- A different condition for each value, so that each one uses the index.
            'in_stock', CASE WHEN (request ->> 'in_stock')::boolean
                THEN 't.quantity_bucket > 0' ELSE 't.quantity_bucket = 0' END,
            'max_quantity', 't.quantity_bucket <= quantity_bucket(($1 ->> ''max_quantity'')::integer)')),
        'sku', filter_of(request, jsonb_build_object(
            'sku', 't.sku IS NOT NULL AND fold(t.sku) = fold($1 ->> ''sku'')')));
    filter := concat_ws(' AND ', 't.deleted_at IS NULL', indexed ->> 'price', indexed ->> 'quantity', indexed ->> 'sku',
        filter_of(request, jsonb_build_object(
            'q', name_words || ' @> words($1 ->> ''q'') AND ' || has_words,
            'max_quantity', 't.quantity <= ($1 ->> ''max_quantity'')::integer')));
    indexed := (SELECT coalesce(jsonb_object_agg(key, value), '{}') FROM jsonb_each_text(indexed) WHERE value <> 'true');
    IF request ->> 'q' IS NOT NULL THEN
        indexed := indexed || jsonb_build_object('words', CASE WHEN request ->> 'rare_words' IS NOT NULL THEN
            'words(t.name) @> ' || rare_words || ' AND ' || has_words END);
    END IF;
    IF indexed ? 'words' OR request ->> 'max_quantity' IS NOT NULL OR indexed ?& ARRAY['price', 'quantity'] THEN
        -- The planner has statistics of the column, but not of the index.
        estimated_by := replace(filter, name_words, 't.name_words');
    END IF;
    IF indexed ->> 'words' IS NOT NULL THEN
        -- First, because most names lack one of them, and a search can have dozens of words that all names have.
        filter := concat_ws(' AND ', name_words || ' @> ' || rare_words, filter);
    END IF;
END
$$;
