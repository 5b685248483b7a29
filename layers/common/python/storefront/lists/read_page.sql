-- Reads one page of a list: a line that says how it goes on, and on the next line the page's items, as JSON both.
--   next               where the page ends, for a cursor: the sort keys of its last row; null where nothing follows
--   total              how many rows the filter lets through; null where the request has a position to go on from
--   total_is_estimate  whether the planner's word was taken for it, as it is past 100,000
-- The statements are put together from what the calling function names and never from the request, whose values are
-- parameters: each filter and order gets a plan of its own, and finds its index.
CREATE OR REPLACE FUNCTION read_page(
    request jsonb,
    relation text,
    filter text,        -- a condition on the row t, with the request as $1
    item text,          -- the row t as the API shows it
    sort_keys text[],   -- columns that together are unique
    sort_types text[],
    descending boolean,
    few boolean DEFAULT false   -- whether to find what the filter lets through and then sort it, and not the reverse
) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    exact_up_to CONSTANT integer := 100000;
    page_size integer := request ->> 'page_size';
    skipped   bigint := ((request ->> 'page')::bigint - 1) * page_size;
    after     jsonb := nullif(request -> 'after', 'null');
    source    text := format('%I t WHERE %s', relation, filter);
    columns   text;
    ordering  text;
    position  text;
    total     bigint;
    plan      json;
    estimated boolean := false;
    next      json;
    items     json;
BEGIN
    SELECT string_agg(format('t.%I', key), ', ' ORDER BY n),
           string_agg(format('t.%I%s', key, CASE WHEN descending THEN ' DESC' ELSE '' END), ', ' ORDER BY n),
           string_agg(format('($1 #>> ''{after,%s}'')::%s', n - 1, type), ', ' ORDER BY n)
      INTO columns, ordering, position
      FROM unnest(sort_keys, sort_types) WITH ORDINALITY AS keys(key, type, n);

    IF after IS NULL THEN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT %s) counted', source, exact_up_to + 1)
           INTO total USING request;
        IF total > exact_up_to THEN
            EXECUTE format('EXPLAIN (FORMAT JSON) SELECT FROM %s', source) INTO plan USING request;
            total := greatest(total, (plan #>> '{0,Plan,Plan Rows}')::numeric);
            estimated := true;
        END IF;
    ELSE
        skipped := 0;
        source := format('%s AND (%s) %s (%s)', source, columns, CASE WHEN descending THEN '<' ELSE '>' END, position);
    END IF;

    IF few THEN
        source := format('(SELECT t FROM %s OFFSET 0) matching', source);
        ordering := replace(ordering, 't.', '(t).');
    END IF;

    -- One row more than the page has tells whether anything follows.
    EXECUTE format(
        'WITH page AS MATERIALIZED ('
            'SELECT t, row_number() OVER () AS n'
            '  FROM (SELECT t FROM %s ORDER BY %s LIMIT $2 + 1 OFFSET $3) ordered)'
        'SELECT coalesce(json_agg(%s ORDER BY n) FILTER (WHERE n <= $2), ''[]''),'
        '       (SELECT json_build_array(%s) FROM page WHERE n = $2 AND EXISTS (SELECT FROM page WHERE n > $2))'
        '  FROM page',
        source, ordering, item, replace(columns, 't.', '(t).'))
       INTO items, next USING request, page_size, skipped;
    RETURN json_build_object('next', next, 'total', total, 'total_is_estimate', estimated)::text || E'\n' || items;
END
$$;
