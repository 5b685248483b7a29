-- Reads one page of a list: its rows, and a JSON head with the next position and the total.
--   next               the sort keys of the page's last row, for a cursor; null on the last page
--   total              the number of rows that match the filter; null if the request has no page or continues
--   total_is_estimate  true above 100,000, where the total is the planner's estimate
-- The statements are built from what the calling function passes, never from the request. The request's values are
-- parameters. Each combination of filters and sort order gets its own plan, and so finds its index. The statements do
-- nothing else: the calling function turns the rows into JSON in a statement that PostgreSQL plans once.
-- The row to continue after is kept in a parameter, because in PostgreSQL 15 a variable cannot have the row type of a
-- parameter. STABLE, like each function that calls it: all statements use one snapshot, so the JSON of a row matches
-- the filter that selected it.
CREATE OR REPLACE FUNCTION read_page(
    request jsonb,
    after anyelement,   -- NULL of the row type of the table or view; later the row to continue after
    filter text,        -- a condition on the row t, with the request as $1
    sort_keys text[],   -- columns that together are unique
    descending boolean,
    few boolean DEFAULT false,   -- true if few rows match: find them by the filter, then sort them
    OUT head text,
    OUT rows anyarray
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    exact_up_to CONSTANT integer := 100000;
    page_size integer := request ->> 'page_size';
    skipped   bigint := 0;
    source    text := pg_typeof(after) || ' t WHERE ' || filter;
    columns   text := 't.' || array_to_string(sort_keys, ', t.');
    ordering  text := CASE WHEN descending THEN replace(columns, ',', ' DESC,') || ' DESC' ELSE columns END;
    total     bigint;
    estimated boolean := false;
    next      json;
BEGIN
    IF request ->> 'after' IS NOT NULL THEN
        after := jsonb_populate_record(after,
            jsonb_object(sort_keys, ARRAY(SELECT jsonb_array_elements_text(request -> 'after'))));
        source := format('%s AND (%s) %s (%s)', source,
            columns, CASE WHEN descending THEN '<' ELSE '>' END, replace(columns, 't.', '($4).'));
    ELSIF request ->> 'page' IS NOT NULL THEN
        skipped := ((request ->> 'page')::bigint - 1) * page_size;
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT %s) counted', source, exact_up_to + 1)
           INTO total USING request;
        IF total > exact_up_to THEN
            total := greatest(total, planned_rows(source, request));
            estimated := true;
        END IF;
    END IF;

    IF few THEN
        source := format('(SELECT t FROM %s OFFSET 0) matching', source);
        ordering := replace(ordering, 't.', '(t).');
    END IF;

    -- One more row than the page has, to see whether there is a next page.
    EXECUTE format('SELECT ARRAY(SELECT t FROM %s ORDER BY %s LIMIT $2 + 1 OFFSET $3)', source, ordering)
       INTO rows USING request, page_size, skipped, after;
    IF cardinality(rows) > page_size THEN
        rows := rows[:page_size];
        next := (SELECT json_agg(to_jsonb(rows[page_size]) -> key) FROM unnest(sort_keys) key);
    END IF;
    head := json_build_object('next', next, 'total', total, 'total_is_estimate', estimated);
END
$$;
