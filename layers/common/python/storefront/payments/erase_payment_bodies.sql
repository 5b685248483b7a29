-- Erases the bodies of the oldest payment events that arrived more than the request's retention_days ago, up to the
-- request's batch_size. only_ignored: of those whose type is not handled.
-- Outcome: erased, with their number.
CREATE OR REPLACE FUNCTION erase_payment_bodies(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    until  CONSTANT timestamptz := now() - make_interval(days => (request ->> 'retention_days')::integer);
    most   CONSTANT integer := request ->> 'batch_size';
    due    uuid[];
BEGIN
    -- SKIP LOCKED: a locked event is being processed again. Two statements, because each has its own index.
    IF (request ->> 'only_ignored')::boolean THEN
        SELECT array_agg(old.id) INTO due
          FROM (SELECT e.id FROM payment_events e
                 WHERE e.body IS NOT NULL AND e.reason = 'type_not_ours' AND e.received_at <= until
                 ORDER BY e.received_at LIMIT most FOR NO KEY UPDATE SKIP LOCKED) old;
    ELSE
        SELECT array_agg(old.id) INTO due
          FROM (SELECT e.id FROM payment_events e
                 WHERE e.body IS NOT NULL AND e.received_at <= until
                 ORDER BY e.received_at LIMIT most FOR NO KEY UPDATE SKIP LOCKED) old;
    END IF;
    UPDATE payment_events e SET body = NULL, body_is_base64 = NULL, body_is_cut = NULL WHERE e.id = ANY (due);
    outcome := 'erased';
    body := coalesce(cardinality(due), 0);
END
$$;
