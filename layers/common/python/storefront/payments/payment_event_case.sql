-- Returns what explain_payment_event has one message for: the reason of an event, or a case of it.
-- target: as in explain_payment_event.
CREATE OR REPLACE FUNCTION payment_event_case(event payment_events, target orders) RETURNS text
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    is_paid CONSTANT boolean := event.payment_status IS NOT DISTINCT FROM 'paid';
BEGIN
    RETURN CASE
        WHEN event.reason IS NULL THEN
            CASE WHEN event.refund_status IS NOT NULL THEN 'refund_' || event.refund_status
                 WHEN event.dispute_status IS NOT NULL THEN 'dispute_' || event.dispute_status
                 WHEN NOT is_paid THEN 'applied_failure' WHEN NOT event.livemode THEN 'applied_test'
                 ELSE 'applied_payment' END
        WHEN is_about_refund(event) AND event.reason IN ('same_status', 'amount_unreadable', 'currency_differs',
                                                         'other_content', 'unknown_order') THEN 'refund_' || event.reason
        WHEN event.reason IN ('media_type', 'invalid') AND event.type ~ '^(charge\.)?(refund|dispute)'
            THEN 'refund_' || event.reason
        WHEN event.reason = 'same_status' AND NOT is_paid THEN 'failed_again'
        WHEN event.reason IN ('no_order_named', 'unknown_order') AND NOT is_paid THEN event.reason || '_without_money'
        WHEN event.reason = 'other_mode' AND event.livemode THEN 'other_mode_live'
        WHEN is_unread_refund(event) THEN 'refund_or_dispute'
        WHEN event.reason = 'payment_under_way' AND target.held_since IS NULL THEN 'payment_was_under_way'
        WHEN event.reason = 'payment_under_way' AND event.type = 'payment_intent.amount_capturable_updated' THEN
            'payment_authorized'
        ELSE event.reason
        END;
END
$$;
