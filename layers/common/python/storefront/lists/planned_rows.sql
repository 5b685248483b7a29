-- Returns the planner's estimate of the number of rows in a source of read_page.
-- VOLATILE, because PostgreSQL does not allow EXPLAIN in other functions.
CREATE OR REPLACE FUNCTION planned_rows(source text, request jsonb) RETURNS numeric
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT FROM ' || source INTO plan USING request;
    RETURN plan #>> '{0,Plan,Plan Rows}';
END
$$;
