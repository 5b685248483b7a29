-- In batches: fill in the processor references of events that earlier releases stored, before bodies are erased.
UPDATE payment_events e
   SET (payment_reference, object_reference) =
       (SELECT coalesce(e.payment_reference, found.payment_reference), found.object_reference
          FROM stored_references(e.type, e.body) found)
 WHERE e.id IN (SELECT waiting.id
                  FROM payment_events waiting
                 WHERE waiting.provider = 'stripe' AND waiting.object_reference IS NULL
                   AND (stored_references(waiting.type, waiting.body)).object_reference IS NOT NULL
                 ORDER BY waiting.id
                 LIMIT 5000);
