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
    IF named.id IS NOT NULL AND matching.id IS NULL THEN
        -- An event may have reported that the refund was made, although staff had set it to failed.
        SELECT made.* INTO matching
          FROM payment_events e
          JOIN refunds made ON made.id = e.id
         WHERE e.order_id = payment.order_id AND e.refund_id = named.id AND e.reason = 'refund_set_to_failed'
           AND (made.processor_reference = event.object_reference) IS NOT FALSE
         ORDER BY e.received_at, e.id
         LIMIT 1;
        IF matching.id IS NULL AND (named.processor_reference = event.object_reference) IS NOT FALSE THEN
            matching := named;
        END IF;
        -- A refund has one reference. An event with another one is about a separate refund.
        RETURN matching;
    END IF;
    IF matching.id IS NULL THEN
        -- The one open request without a reference. If there is none, or several, the one that staff set to succeeded.
        SELECT (only_one.refund).* INTO matching
          FROM (SELECT (array_agg(r))[1] AS refund
                  FROM refunds r
                 WHERE r.payment_id = payment.id AND r.processor_reference IS NULL AND r.amount = event.amount
                   AND (r.status IN ('requested', 'pending')
                        -- What brings no money back is not the refund that staff know to have succeeded.
                        OR r.status = 'succeeded' AND (event.refund_status IN ('pending', 'succeeded')
                                                       OR r.actor = 'payment-processor'))
                 GROUP BY r.status = 'succeeded'
                HAVING count(*) = 1
                 ORDER BY r.status = 'succeeded'
                 LIMIT 1) only_one;
    END IF;
    RETURN matching;
END
$$;
