-- How many rows the planner takes a source of read_page to have. VOLATILE, since PostgreSQL lets nothing else EXPLAIN.
CREATE OR REPLACE FUNCTION planned_rows(source text, request jsonb) RETURNS numeric
    LANGUAGE plpgsql VOLATILE AS $$
DECLARE
    plan json;
BEGIN
    EXECUTE 'EXPLAIN (FORMAT JSON) SELECT FROM ' || source INTO plan USING request;
    RETURN plan #>> '{0,Plan,Plan Rows}';
END
$$;
