-- Lists the reconciliation entries that match the request's filters, oldest first.
-- Outcome: listed.
CREATE OR REPLACE FUNCTION list_reconciliation(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    filter text := filter_of(request, jsonb_build_object(
        -- Some kinds follow from several rows, so the condition of read_page does not find the start in each index.
        'after', '(t.since, t.id) >= (($1 #>> ''{after,0}'')::timestamptz, ($1 #>> ''{after,1}'')::uuid)',
        'kind', 't.kind = $1 ->> ''kind''',
        'pending_minutes', '(t.kind <> ''pending_too_long'''
            ' OR t.since < now() - make_interval(mins => ($1 ->> ''pending_minutes'')::integer))',
        'payment_pending_days', '(t.kind <> ''held_too_long'''
            ' OR t.since < now() - make_interval(days => ($1 ->> ''payment_pending_days'')::integer))',
        'refund_pending_days', '(t.kind <> ''refund_stuck'''
            ' OR t.since < now() - make_interval(days => ($1 ->> ''refund_pending_days'')::integer))',
        'acknowledged', '($1 ->> ''acknowledged'')::boolean = EXISTS ('
            'SELECT FROM acknowledgements a'
            ' WHERE (a.kind, a.entry_id, a.money_changes) = (t.kind, t.id, t.money_changes))'));
    page   record;
BEGIN
    outcome := 'listed';
    page := read_page(request, NULL::reconciliation, filter, ARRAY['since', 'id', 'kind'], descending => false);
    body := page_body(page.head, (SELECT json_agg(reconciliation_entry_json(t)) FROM unnest(page.rows) t));
END
$$;
