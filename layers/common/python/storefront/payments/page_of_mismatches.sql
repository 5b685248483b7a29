-- The mismatches that the request's filters let through, oldest first. Outcome: listed.
CREATE OR REPLACE FUNCTION page_of_mismatches(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    filter text := filter_of(request, jsonb_build_object(
        'kind', 't.kind = $1 ->> ''kind''',
        'pending_minutes', '(t.kind <> ''pending_too_long'''
            ' OR t.since < now() - make_interval(mins => ($1 ->> ''pending_minutes'')::integer))'));
BEGIN
    outcome := 'listed';
    body := read_page(request, 'mismatches', filter, 'mismatch_json(t)',
        ARRAY['since', 'id'], ARRAY['timestamptz', 'uuid'], descending => false);
END
$$;
