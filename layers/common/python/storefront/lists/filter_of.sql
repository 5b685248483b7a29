-- Builds the SQL condition for the filters that a list request contains.
-- conditions: for each parameter name, a condition on the row t. $1 is the request, as in read_page.
CREATE OR REPLACE FUNCTION filter_of(request jsonb, conditions jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(string_agg(known.condition, ' AND '), 'true')
              FROM jsonb_each_text(conditions) AS known(parameter, condition)
             WHERE request ->> known.parameter IS NOT NULL);
