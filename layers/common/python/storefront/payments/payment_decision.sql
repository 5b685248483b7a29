-- Decides the outcome of a payment event for its order, and the reason if the event is not applied. Changes nothing.
CREATE OR REPLACE FUNCTION payment_decision(
    event payment_events,
    target orders,         -- NULL if the order was not found
    settings jsonb,        -- optionally payment_mode (any, live, test) and payment_accounts
    OUT outcome payment_event_outcome,
    OUT reason text
)
    LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    -- A release before 0.3.0 stored only the reason.
    reader_reason text := coalesce(event.reader_reason, event.reason);
    is_paid boolean := event.payment_status IS NOT DISTINCT FROM 'paid';
BEGIN
    reason := CASE
        WHEN event.error IS NOT NULL THEN reader_reason
        WHEN event.livemode <> (nullif(settings ->> 'payment_mode', 'any') = 'live') THEN 'other_mode'
        WHEN jsonb_array_length(settings -> 'payment_accounts') > 0
             AND NOT (settings -> 'payment_accounts') ? event.account THEN 'other_account'
        WHEN event.payment_status IS NULL THEN
            CASE WHEN reader_reason = 'payment_under_way' AND target.id IS NULL THEN 'unknown_order'
                 ELSE reader_reason END
        WHEN event.order_id IS NULL THEN 'no_order_named'
        WHEN target.id IS NULL THEN 'unknown_order'
        WHEN NOT is_paid AND target.payment_status = 'paid' THEN 'order_paid'
        WHEN NOT is_paid AND target.status <> 'pending' THEN
            CASE WHEN target.payment_status = 'failed' THEN 'same_status' ELSE 'order_not_pending' END
        WHEN target.status = 'canceled' AND target.payment_status <> 'paid' THEN 'order_canceled'
        -- A failure moved no money, so its amount does not matter.
        WHEN is_paid AND reader_reason = 'amount_unreadable' THEN 'amount_unreadable'
        -- Nothing was due, so a payment without an amount cannot be the one that was expected.
        WHEN is_paid AND (event.amount <> target.total_price OR event.amount IS NULL AND target.total_price = 0)
            THEN 'amount_differs'
        WHEN is_paid AND event.currency <> target.currency THEN 'currency_differs'
        WHEN event.payment_status = target.payment_status THEN 'same_status'
        WHEN target.status = 'completed' THEN 'order_completed'
        END;
    outcome := CASE
        WHEN reason IS NULL THEN 'applied'
        WHEN event.error IS NOT NULL THEN 'unreadable'
        WHEN reason = 'same_status' THEN 'duplicate'
        WHEN reason = 'unknown_order' THEN 'unknown_order'
        WHEN reason = 'order_canceled' THEN 'needs_refund'
        WHEN reason IN ('other_content', 'amount_unreadable', 'amount_differs', 'currency_differs', 'order_completed')
            THEN 'needs_review'
        ELSE 'ignored'
        END;
END
$$;
