-- The condition for the filters that a request has, out of those that a list knows: by the name of each parameter, a
-- condition on the row t with the request as $1, as read_page takes it.
CREATE OR REPLACE FUNCTION filter_of(request jsonb, conditions jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN (SELECT coalesce(string_agg(known.condition, ' AND '), 'true')
              FROM jsonb_each_text(conditions) AS known(parameter, condition)
             WHERE request ->> known.parameter IS NOT NULL);
