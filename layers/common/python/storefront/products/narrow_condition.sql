-- Returns the first of some conditions that at most max_rows of the products on sale meet, or NULL.
-- conditions: those that have an index, by their kind. One that is null is not narrow.
-- The planner may not search the whole table for a condition that it thinks common. The index of words can only make a
-- bitmap. The other indexes are read until there are enough rows, which a bitmap does not allow.
CREATE OR REPLACE FUNCTION narrow_condition(request jsonb, conditions jsonb, max_rows integer) RETURNS text
    LANGUAGE plpgsql STABLE
    SET enable_seqscan = off SET enable_indexscan = on SET enable_bitmapscan = on AS $$
DECLARE
    kind      text;
    condition text;
    matches   bigint;
BEGIN
    FOR kind, condition IN SELECT key, value FROM jsonb_each_text(conditions) WHERE value IS NOT NULL LOOP
        PERFORM set_config('enable_indexscan', CASE kind WHEN 'words' THEN 'off' ELSE 'on' END, true),
                set_config('enable_bitmapscan', CASE kind WHEN 'words' THEN 'on' ELSE 'off' END, true);
        condition := 't.deleted_at IS NULL AND ' || condition;
        EXECUTE format('SELECT count(*) FROM (SELECT FROM products t WHERE %s LIMIT %s) found', condition, max_rows + 1)
           INTO matches USING request;
        IF matches <= max_rows THEN
            RETURN condition;
        END IF;
    END LOOP;
    RETURN NULL;
END
$$;
