-- Waits in the queues of products, and keeps them until the transaction ends. In the order of IDs, and before a row of a
-- product is locked: this prevents deadlocks.
-- Waits until lock_timeout, because canceling an order and returning units should not fail in a rush.
CREATE OR REPLACE FUNCTION enter_queues(product_ids uuid[]) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(queue_of(sorted.id))
       FROM (SELECT DISTINCT listed.id
               FROM unnest(product_ids) AS listed(id)
              ORDER BY listed.id
              -- Expired orders can have thousands of products. All sessions together have memory for 64 locks of each
              -- (max_locks_per_transaction). The other rows are locked without a queue, which is safe, but slower.
              LIMIT 500) sorted;
END
$$;
