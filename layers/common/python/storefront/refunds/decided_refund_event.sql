-- Returns a refund or dispute event with its outcome, the reason, and the refund that it is about. Changes nothing.
-- The caller has locked the order, if there is one. settings: as in refused_by_settings.
CREATE OR REPLACE FUNCTION decided_refund_event(
    event payment_events, target orders, payment payments, settings jsonb
) RETURNS payment_events
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    refund   refunds;
    dispute  disputes;
    decision record;
BEGIN
    IF payment.order_id IS NOT NULL THEN
        event.order_id := payment.order_id;
        IF event.refund_status IS NOT NULL THEN
            refund := matching_refund(event, payment);
        END IF;
        SELECT * INTO dispute
          FROM disputes d
         WHERE d.payment_id = payment.id AND d.reference = coalesce(event.object_reference, '');
    END IF;
    decision := refund_decision(event, target, payment, refund, dispute, settings);
    event.outcome := decision.outcome;
    event.reason := decision.reason;
    IF event.refund_status = 'succeeded' AND refund.status = 'failed' AND (event.reason = 'older_status') IS NOT FALSE
       AND is_failed_only_here(refund) THEN
        event.outcome := 'needs_review';
        event.reason := 'refund_set_to_failed';
    END IF;
    -- What the settings refuse keeps the name, for a replay after their correction.
    IF event.outcome = 'applied' OR refund.id IS NOT NULL AND refused_by_settings(event, settings) IS NULL THEN
        -- NULL if the refund is not known yet.
        event.refund_id := refund.id;
    END IF;
    RETURN event;
END
$$;
