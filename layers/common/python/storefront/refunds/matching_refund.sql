-- Returns the refund that an event of the processor is about, or NULL if the refund is not known yet.
CREATE OR REPLACE FUNCTION matching_refund(event payment_events, payment payments) RETURNS refunds
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    named    refunds;
    matching refunds;
BEGIN
    SELECT * INTO named FROM refunds r WHERE r.id = event.refund_id AND r.payment_id = payment.id;
    SELECT * INTO matching
      FROM refunds r
     WHERE r.payment_id = payment.id AND r.processor_reference = event.object_reference;
    IF named.id IS NOT NULL THEN
        -- A refund has one reference. An event with another one is about a separate refund.
        RETURN CASE WHEN matching.id IS NULL AND (named.processor_reference IS NULL OR event.object_reference IS NULL)
                    THEN named ELSE matching END;
    END IF;
    IF matching.id IS NULL THEN
        -- The one open request without a reference. If there is none, the one that staff set to succeeded.
        SELECT (only_one.refund).* INTO matching
          FROM (SELECT (array_agg(r))[1] AS refund
                  FROM refunds r
                 WHERE r.payment_id = payment.id AND r.processor_reference IS NULL AND r.amount = event.amount
                   AND r.status IN ('requested', 'pending', 'succeeded')
                 GROUP BY r.status = 'succeeded'
                HAVING count(*) = 1
                 ORDER BY r.status = 'succeeded'
                 LIMIT 1) only_one;
    END IF;
    RETURN matching;
END
$$;
