-- Reads one page of a list: its rows, and beside them a JSON text that says how it goes on.
--   next               where the page ends, for a cursor: the sort keys of its last row; null where nothing follows
--   total              how many rows the filter lets through; null where the request has a position to go on from
--   total_is_estimate  whether the planner's word was taken for it, as it is past 100,000
-- The statements are put together from what the calling function names and never from the request, whose values are
-- parameters: each filter and order gets a plan of its own, and finds its index. So they have no more in them than
-- that; what the calling function makes of the rows is a statement that PostgreSQL plans once.
-- The row to go on after is kept in a parameter, since in PostgreSQL 15 no variable can have a parameter's row type.
-- STABLE, as every function on the way to it has to be: so all their statements see the one snapshot, and a row's JSON
-- says what it was chosen for.
CREATE OR REPLACE FUNCTION read_page(
    request jsonb,
    after anyelement,   -- null, of the table's or the view's type: the row to go on after, once the request told it
    filter text,        -- a condition on the row t, with the request as $1
    sort_keys text[],   -- columns that together are unique
    descending boolean,
    few boolean DEFAULT false,   -- whether to find what the filter lets through and then sort it, and not the reverse
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
    IF request ->> 'after' IS NULL THEN
        skipped := ((request ->> 'page')::bigint - 1) * page_size;
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT %s) counted', source, exact_up_to + 1)
           INTO total USING request;
        IF total > exact_up_to THEN
            total := greatest(total, planned_rows(source, request));
            estimated := true;
        END IF;
    ELSE
        after := jsonb_populate_record(after,
            jsonb_object(sort_keys, ARRAY(SELECT jsonb_array_elements_text(request -> 'after'))));
        source := format('%s AND (%s) %s (%s)', source,
            columns, CASE WHEN descending THEN '<' ELSE '>' END, replace(columns, 't.', '($4).'));
    END IF;

    IF few THEN
        source := format('(SELECT t FROM %s OFFSET 0) matching', source);
        ordering := replace(ordering, 't.', '(t).');
    END IF;

    -- One row more than the page has tells whether anything follows.
    EXECUTE format('SELECT ARRAY(SELECT t FROM %s ORDER BY %s LIMIT $2 + 1 OFFSET $3)', source, ordering)
       INTO rows USING request, page_size, skipped, after;
    IF cardinality(rows) > page_size THEN
        rows := rows[:page_size];
        next := (SELECT json_agg(to_jsonb(rows[page_size]) -> key) FROM unnest(sort_keys) key);
    END IF;
    head := json_build_object('next', next, 'total', total, 'total_is_estimate', estimated);
END
$$;
