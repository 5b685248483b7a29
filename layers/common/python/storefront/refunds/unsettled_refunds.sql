-- Returns the refunds of an order that failed, and that nothing made up for.
-- Each later refund is the next attempt for the newest refunds that failed before it, whatever its payment. If it fails,
-- too, it takes their place.
CREATE OR REPLACE FUNCTION unsettled_refunds(failed_of uuid) RETURNS uuid[]
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    change    record;
    currency  text;
    attempted numeric;
    unsettled uuid[] := '{}';
BEGIN
    FOR change IN
        SELECT r.id, r.amount, r.currency, step.is_failure,
               -- Nobody has to try again what the processor or the bank returned in another way.
               p.amount <= p.lost_amount + coalesce(
                   sum(r.amount) FILTER (WHERE r.status = 'succeeded' AND r.processor_reference IS NOT NULL)
                       OVER (PARTITION BY r.payment_id), 0) AS went_back
          FROM refunds r
          JOIN payments p ON p.id = r.payment_id
         CROSS JOIN LATERAL (
               VALUES (false, least(r.requested_at, r.updated_at)), (true, r.updated_at)) step (is_failure, at)
         WHERE r.order_id = failed_of AND r.status <> 'canceled' AND (r.status = 'failed' OR NOT step.is_failure)
         -- The newest first. The times of a processor have only seconds: of two changes within one, the failure was
         -- before a refund that was made there, but not before its own.
         ORDER BY r.currency, step.at DESC,
                  CASE WHEN step.is_failure THEN 1
                       WHEN r.actor = 'payment-processor' AND NOT (r.status = 'failed' AND step.at = r.updated_at) THEN 2
                       ELSE 0 END DESC, r.id DESC
    LOOP
        IF currency IS DISTINCT FROM change.currency THEN
            currency := change.currency;
            attempted := 0;
        END IF;
        IF NOT change.is_failure THEN
            attempted := attempted + change.amount;
        ELSIF attempted >= change.amount THEN
            attempted := attempted - change.amount;
        ELSIF NOT change.went_back THEN
            unsettled := unsettled || change.id;
        END IF;
    END LOOP;
    RETURN unsettled;
END
$$;
