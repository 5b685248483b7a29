-- Returns the key of the queue of a product, which is an advisory lock (decision 19). Whoever changes the stock of a product
-- first takes this lock, and then the lock of the row. At each commit, the queue wakes up one session. The lock of a row
-- wakes up all that wait for it, and each of them searches for the newest version of the row.
-- The lock of the row protects the stock. A session without the queue is only slower.
CREATE OR REPLACE FUNCTION queue_of(product_id uuid) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN uuid_hash_extended(product_id, 0);
