-- In batches, again with each release: the payments of events that earlier releases stored. After a rollback, the earlier
-- release stores payment events without payments. The next deployment continues after the last event that it has seen.
WITH previous AS MATERIALIZED (
    SELECT * FROM payment_completion
),
batch AS MATERIALIZED (
    SELECT e.id, e.received_at, e.order_id, e.payment_status
      FROM previous
     CROSS JOIN LATERAL (
           SELECT next.*
             FROM payment_events next
            WHERE (next.received_at, next.id) > (previous.received_at, previous.id)
            ORDER BY next.received_at, next.id
            LIMIT 200) e
),
completed AS MATERIALIZED (
    SELECT complete_payments(ARRAY(SELECT DISTINCT order_id FROM batch
                                    WHERE payment_status = 'paid' AND order_id IS NOT NULL ORDER BY order_id)) AS added
)
UPDATE payment_completion
   SET (received_at, id) = (SELECT received_at, id FROM batch ORDER BY received_at DESC, id DESC LIMIT 1)
 WHERE EXISTS (SELECT FROM batch) AND (SELECT added FROM completed) >= 0;
