-- Says in words why the reconciliation lists an entry, and what staff should do.
-- event, payment, refund: what the entry is about, or NULL.
CREATE OR REPLACE FUNCTION explain_mismatch(
    kind text, target orders, event payment_events, payment payments, refund refunds, OUT message text, OUT action text
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    explained record;
BEGIN
    CASE
        WHEN kind IN ('over_refunded', 'refund_failed', 'refund_stuck', 'disputed') THEN
            explained := explain_refund_mismatch(kind, target, payment, refund);
        WHEN kind IN ('completed_and_unpaid', 'held_too_long') OR kind = 'paid_and_canceled' AND event.id IS NULL THEN
            explained := explain_order_mismatch(kind, target);
        WHEN kind = 'pending_too_long' THEN
            explained := explain_pending_order(target);
        ELSE
            explained := explain_event_mismatch(target, event, payment);
    END CASE;
    message := explained.message;
    action := explained.action;
    IF kind IN ('paid_and_canceled', 'paid_twice', 'paid_after_completion', 'amount_mismatch', 'refund_failed', 'refund_stuck')
       AND EXISTS (SELECT FROM disputes d
                    WHERE d.status = 'open' AND d.order_id = target.id AND d.payment_id = coalesce(payment.id, d.payment_id))
    THEN
        action := action || ' First follow the entry of the open dispute: it stops refunds.';
    END IF;
END
$$;
