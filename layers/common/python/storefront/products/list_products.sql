-- Lists the products that match the request's filters.
-- Anybody may send this request, so it reads a limited number of products. If few products meet one of the conditions,
-- all of these are read and sorted. Otherwise, products are read in the sort order, up to a limit. Then a page can have
-- fewer products than its size, and even none, although others follow.
-- Outcomes: listed; no_words if q has no words, with an empty page for the release that does not know this outcome.
CREATE OR REPLACE FUNCTION list_products(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE
    SET enable_seqscan = off AS $$
DECLARE
    asked  jsonb := request || jsonb_build_object('rare_words', rare_words(request ->> 'q'));
    sort_key text := ltrim(request ->> 'sort', '-');
    is_descending boolean := request ->> 'sort' LIKE '-%';
    filters record := product_conditions(asked);
    few    text := CASE WHEN filters.indexed <> '{}' THEN narrow_condition(asked, filters.indexed, 1000) END;
    keys   text[] := CASE sort_key
        WHEN 'quantity' THEN quantity_keys(request, few IS NOT NULL)
        WHEN 'name' THEN ARRAY['folded_name', 'id']
        ELSE ARRAY[quote_ident(sort_key), 'id'] END;
    page   record;
BEGIN
    IF jsonb_array_length(nullif(asked -> 'after', 'null')) > cardinality(keys) THEN
        -- A cursor from when there were fewer products. It goes on after the ID in the same bucket.
        asked := jsonb_set(asked, '{after}', (asked -> 'after') - 1);
    END IF;
    outcome := CASE WHEN words(request ->> 'q') = '{}' THEN 'no_words' ELSE 'listed' END;
    IF filters.indexed <> '{}' AND few IS NULL THEN
        page := read_page(asked, NULL::products, filters.filter, keys, is_descending,
            scanned => concat_ws(' AND ', 't.deleted_at IS NULL', filters.indexed ->> sort_key),
            estimated_by => filters.estimated_by);
        IF cardinality(page.rows) < (request ->> 'page_size')::integer AND page.head::json ->> 'next' IS NOT NULL THEN
            few := narrow_condition(asked, filters.indexed, 10000);
        END IF;
    END IF;
    IF filters.indexed = '{}' OR few IS NOT NULL THEN
        page := read_page(asked, NULL::products, filters.filter, keys, is_descending, few => few);
    END IF;
    body := page_body(page.head, (SELECT json_agg(product_json(t)) FROM unnest(page.rows) t));
END
$$;
