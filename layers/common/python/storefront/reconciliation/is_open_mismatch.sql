-- Returns whether the reconciliation lists an entry of one of some kinds, and nobody acknowledged it.
CREATE OR REPLACE FUNCTION is_open_mismatch(kinds text[], wanted_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (
        SELECT FROM reconciliation r
         WHERE r.kind = ANY (kinds) AND r.id = wanted_id
           AND NOT EXISTS (SELECT FROM acknowledgements a
                            WHERE (a.kind, a.entry_id, a.money_changes) = (r.kind, r.id, r.money_changes)));
END
$$;
