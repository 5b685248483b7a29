-- Reads one page of a list: its rows, and a JSON head with the next position and the total.
--   next               the sort keys of the row to continue after, for a cursor; null on the last page
--   total              the number of rows that match the filter; null if the request has no page or continues
--   total_is_estimate  whether the total is the planner's estimate
--   is_cut             whether the page ends where the limit of scanned rows ended it; then only next leads on
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
    few text DEFAULT NULL,            -- a condition that few rows meet: find them by it, then sort them
    scanned text DEFAULT NULL,        -- a condition: of the rows that meet it, read a limited number in the sort order
    estimated_by text DEFAULT NULL,   -- a condition: the total is the planner's estimate for it, and is not counted
    OUT head text,
    OUT rows anyarray
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    page_size integer := request ->> 'page_size';
    skipped   bigint := coalesce(((request ->> 'page')::bigint - 1) * page_size, 0);
    -- The same for each page. Otherwise, a later page would skip what the page before it did not reach.
    scan_size CONSTANT integer := 10000;
    relation  text := pg_typeof(after) || ' t WHERE ';
    source    text := relation || filter;
    columns   text := 't.' || array_to_string(sort_keys, ', t.');
    ordering  text := CASE WHEN descending THEN replace(columns, ',', ' DESC,') || ' DESC' ELSE columns END;
    remaining text := 'true';
    scan      text;
    total     bigint;
    is_estimate boolean := false;
    is_cut    boolean := false;
    next      json;
BEGIN
    IF few IS NOT NULL THEN
        source := format('(SELECT t.* FROM %s%s OFFSET 0) t WHERE %s', relation, few, filter);
    END IF;
    IF request ->> 'after' IS NOT NULL THEN
        after := jsonb_populate_record(after,
            jsonb_object(sort_keys, ARRAY(SELECT jsonb_array_elements_text(request -> 'after'))));
        remaining := format('(%s) %s (%s)',
            columns, CASE WHEN descending THEN '<' ELSE '>' END, replace(columns, 't.', '($4).'));
        skipped := 0;
    ELSIF request ->> 'page' IS NOT NULL THEN
        SELECT counted.total, counted.is_estimate INTO total, is_estimate
          FROM list_total(request, source, relation || estimated_by) counted;
    END IF;
    IF scanned IS NOT NULL THEN
        scan := format('SELECT t.* FROM %s%s AND %s ORDER BY %s LIMIT %s',
            relation, scanned, remaining, ordering, scan_size);
        source := format('(%s) t WHERE %s', scan, filter);
    END IF;

    -- One more row than the page has, to see whether there is a next page.
    EXECUTE format('SELECT ARRAY(SELECT t FROM %s AND %s ORDER BY %s LIMIT $2 + 1 OFFSET $3)',
                   source, remaining, ordering)
       INTO rows USING request, page_size, skipped, after;
    IF cardinality(rows) > page_size THEN
        rows := rows[:page_size];
        next := (SELECT json_agg(to_jsonb(rows[page_size]) -> key) FROM unnest(sort_keys) key);
    ELSIF scan IS NOT NULL THEN
        -- The page ends where the limit ended it, whatever number of rows it has.
        EXECUTE format('SELECT json_build_array(%s) FROM (%s) t OFFSET %s', columns, scan, scan_size - 1)
           INTO next USING request, page_size, skipped, after;
        is_cut := next IS NOT NULL;
    END IF;
    head := json_build_object('next', next, 'total', total, 'total_is_estimate', is_estimate, 'is_cut', is_cut);
END
$$;
