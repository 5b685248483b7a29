-- Erases the bodies of the oldest payment events that arrived more than the request's retention_days ago, up to the
-- request's batch_size.
-- Outcome: erased, with their number.
CREATE OR REPLACE FUNCTION erase_payment_bodies(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    erased bigint;
BEGIN
    UPDATE payment_events e
       SET body = NULL, body_is_base64 = NULL
      FROM (SELECT old.id
              FROM payment_events old
             WHERE old.body IS NOT NULL
               AND old.received_at <= now() - make_interval(days => (request ->> 'retention_days')::integer)
             ORDER BY old.received_at
             LIMIT (request ->> 'batch_size')::integer
               -- A locked event is being processed again.
               FOR NO KEY UPDATE SKIP LOCKED) due
     WHERE e.id = due.id;
    GET DIAGNOSTICS erased = ROW_COUNT;
    outcome := 'erased';
    body := erased;
END
$$;
