-- Sets the status of a refund as its executor reports it.
-- Outcomes: changed, with the refund; unknown_refund; payment_disputed; invalid_transition and exceeds_payment, with the
-- current status; reference_taken, if the refund has another reference, or another refund has this one.
CREATE OR REPLACE FUNCTION set_refund_status(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    wanted    refund_status := request ->> 'status';
    reference text := request ->> 'processor_reference';
    refund    refunds;
    before    refund_status;
BEGIN
    -- The order is locked first, as everywhere. A refund never changes its order.
    PERFORM FROM orders o
      WHERE o.id = (SELECT r.order_id FROM refunds r WHERE r.id = (request ->> 'id')::uuid)
        FOR NO KEY UPDATE;
    SELECT * INTO refund FROM refunds r WHERE r.id = (request ->> 'id')::uuid;
    outcome := CASE
        WHEN refund.id IS NULL THEN 'unknown_refund'
        WHEN refund.status <> (request ->> 'expected_status')::refund_status THEN 'invalid_transition'
        -- Claiming again must fail, even for the same caller: it may have called the processor already.
        WHEN NOT (refund.status IN ('requested', 'pending') AND wanted > refund.status
                  OR refund.status = 'succeeded' AND wanted = 'failed'
                  OR refund.status = wanted AND wanted <> 'pending') THEN 'invalid_transition'
        WHEN wanted = 'pending' AND is_disputed(refund.payment_id) THEN 'payment_disputed'
        WHEN wanted = 'pending' AND exceeds_payment(refund) THEN 'exceeds_payment'
        WHEN refund.processor_reference <> reference
             OR EXISTS (SELECT FROM refunds other
                         WHERE other.payment_id = refund.payment_id AND other.processor_reference = reference
                           AND other.id <> refund.id) THEN 'reference_taken'
        ELSE 'changed' END;
    IF outcome <> 'changed' THEN
        body := to_json(refund.status);
        RETURN;
    END IF;

    before := refund.status;
    IF (refund.status, refund.processor_reference)
       IS DISTINCT FROM (wanted, coalesce(refund.processor_reference, reference)) THEN
        UPDATE refunds r
           SET status = wanted, processor_reference = coalesce(r.processor_reference, reference),
               updated_at = clock_timestamp()
         WHERE r.id = refund.id
        RETURNING * INTO refund;
        PERFORM log_refund(refund, request);
        PERFORM recount_money(refund.order_id, is_shown => true,
            has_moved => before <> wanted AND wanted IN ('succeeded', 'failed'));
    END IF;
    body := refund_json(refund);
END
$$;
