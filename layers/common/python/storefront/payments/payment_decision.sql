-- Decides the outcome of a payment event for its order, and the reason if the event is not applied. Changes nothing.
CREATE OR REPLACE FUNCTION payment_decision(
    event payment_events,
    target orders,         -- NULL if the order was not found
    shop_currency text,
    OUT outcome payment_event_outcome,
    OUT reason text
)
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    reason := CASE
        WHEN event.variant > 0 THEN 'other_content'
        WHEN event.payment_status IS NULL THEN event.reason
        WHEN target.id IS NULL THEN 'unknown_order'
        WHEN event.payment_status = 'failed' AND target.payment_status = 'paid' THEN 'order_paid'
        WHEN event.payment_status = 'failed' AND target.status <> 'pending' THEN
            CASE WHEN target.payment_status = 'failed' THEN 'same_status' ELSE 'order_not_pending' END
        WHEN target.status = 'canceled' AND target.payment_status <> 'paid' THEN 'order_canceled'
        WHEN event.amount <> target.total_price THEN 'amount_differs'
        WHEN event.currency <> shop_currency THEN 'currency_differs'
        WHEN event.payment_status = target.payment_status THEN 'same_status'
        WHEN target.status = 'completed' THEN 'order_completed'
        END;
    outcome := CASE
        WHEN reason IS NULL THEN 'applied'
        WHEN reason = 'same_status' THEN 'duplicate'
        WHEN reason = 'unknown_order' THEN 'unknown_order'
        WHEN reason = 'order_canceled' THEN 'needs_refund'
        WHEN reason IN ('other_content', 'amount_differs', 'currency_differs', 'order_completed') THEN 'needs_review'
        ELSE 'ignored'
        END;
END
$$;
