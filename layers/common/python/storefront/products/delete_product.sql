-- Soft-deletes a product: it is not for sale and not in reads, but its orders keep referring to it.
-- Outcomes: deleted, unknown_product, stale.
CREATE OR REPLACE FUNCTION delete_product(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    locked record;
BEGIN
    locked := lock_product(request);
    IF locked.outcome IS NOT NULL THEN
        outcome := locked.outcome;
        RETURN;
    END IF;
    UPDATE products p SET deleted_at = clock_timestamp(), updated_at = clock_timestamp()
     WHERE p.id = (locked.product).id;
    outcome := 'deleted';
END
$$;
