-- In batches: the numbers and the expiry of existing orders. Older orders get lower numbers.
WITH previous AS MATERIALIZED (
    SELECT * FROM order_numbering
),
batch AS MATERIALIZED (
    SELECT o.id, o.created_at, previous.number + row_number() OVER (ORDER BY o.created_at, o.id) AS number
      FROM previous
     CROSS JOIN LATERAL (
           SELECT next.id, next.created_at
             FROM orders next
            WHERE (next.created_at, next.id) > (previous.created_at, previous.id) AND next.number IS NULL
            ORDER BY next.created_at, next.id
            LIMIT 2000) o
),
numbered AS (
    UPDATE orders o
       SET number = batch.number, expires_at = default_expiry(o.created_at)
      FROM batch
     WHERE batch.id = o.id
)
UPDATE order_numbering
   SET (created_at, id, number) = (SELECT created_at, id, number FROM batch ORDER BY number DESC LIMIT 1)
 WHERE EXISTS (SELECT FROM batch);
