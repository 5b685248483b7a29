-- Returns the sort keys of a list of products by stock. is_narrow: whether few products can be in the list.
-- The index is on the bucket, and the rows of a bucket are sorted when they are read. If a bucket can be very large, they
-- are sorted by ID only, as in the index. A cursor with two keys is from such a list.
CREATE OR REPLACE FUNCTION quantity_keys(request jsonb, is_narrow boolean) RETURNS text[]
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    sorted_up_to CONSTANT integer := 50000;
    cursor_keys  integer := jsonb_array_length(nullif(request -> 'after', 'null'));
BEGIN
    IF cursor_keys = 2 OR (NOT is_narrow AND sorted_up_to <
            (SELECT c.reltuples FROM pg_class c WHERE c.oid = 'products'::regclass)) THEN
        RETURN ARRAY['quantity_bucket', 'id'];
    END IF;
    RETURN ARRAY['quantity_bucket', 'quantity', 'id'];
END
$$;
