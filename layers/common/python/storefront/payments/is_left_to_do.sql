-- Returns whether staff still have to do what explain_payment_event says about an event.
CREATE OR REPLACE FUNCTION is_left_to_do(event payment_events) RETURNS boolean
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN CASE
        WHEN event.reason IS NULL AND event.refund_status = 'failed'
            THEN is_open_mismatch(ARRAY['refund_failed'], event.refund_id)
        WHEN event.reason IS NULL AND event.dispute_status = 'open'
            THEN EXISTS (SELECT FROM payments p JOIN disputes d ON d.payment_id = p.id
                          WHERE p.order_id = event.order_id AND d.reference = coalesce(event.object_reference, '')
                            AND is_open_mismatch(ARRAY['disputed'], d.id))
        WHEN event.outcome = 'needs_refund' THEN is_open_mismatch(ARRAY['paid_and_canceled', 'paid_twice'], event.id)
        WHEN event.outcome = 'needs_review'
            THEN is_open_mismatch(ARRAY['amount_mismatch', 'paid_after_completion', 'conflicting_event'], event.id)
        WHEN event.outcome = 'unreadable' THEN is_open_mismatch(ARRAY['unreadable_event'], event.id)
        WHEN event.outcome = 'unknown_order' OR event.reason = 'no_order_named'
            THEN is_open_mismatch(ARRAY['event_without_order'], event.id)
        -- The reconciliation does not list such events.
        ELSE true
        END;
END
$$;
