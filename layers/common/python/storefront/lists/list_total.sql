-- Returns the number of rows in a source of read_page. Above 100,000, it is the planner's estimate.
-- estimated: NULL, or a source for which the planner estimates the number instead.
CREATE OR REPLACE FUNCTION list_total(
    request jsonb, source text, estimated text, OUT total bigint, OUT is_estimate boolean
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    exact_up_to CONSTANT integer := 100000;
BEGIN
    IF estimated IS NULL THEN
        EXECUTE format('SELECT count(*) FROM (SELECT FROM %s LIMIT %s) counted', source, exact_up_to + 1)
           INTO total USING request;
    END IF;
    is_estimate := estimated IS NOT NULL OR total > exact_up_to;
    IF is_estimate THEN
        total := greatest(total, planned_rows(coalesce(estimated, source), request));
    END IF;
END
$$;
