-- Decides the outcome of a payment event for its order, and the reason if the event is not applied. Changes nothing.
-- In separate statements: PostgreSQL prepares an expression again in each transaction, and most payments need few of them.
CREATE OR REPLACE FUNCTION payment_decision(
    event payment_events,
    target orders,         -- NULL if the order was not found
    known payments,        -- the order's payment that the event is about, or NULL if the event is the first about it
    settings jsonb,        -- optionally payment_mode (any, live, test) and payment_accounts
    OUT outcome payment_event_outcome,
    OUT reason text
)
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    IF event.error IS NULL AND event.payment_status = 'paid' AND target.id IS NOT NULL THEN
        reason := coalesce(refused_by_settings(event, settings), refused_payment(event, target, known));
    ELSE
        reason := CASE
            -- A release before 0.3.0 stored only the reason.
            WHEN event.error IS NOT NULL THEN coalesce(event.reader_reason, event.reason)
            WHEN refused_by_settings(event, settings) IS NOT NULL THEN refused_by_settings(event, settings)
            WHEN event.payment_status IS NULL THEN
                CASE WHEN coalesce(event.reader_reason, event.reason) = 'payment_under_way' AND target.id IS NULL
                     THEN 'unknown_order' ELSE coalesce(event.reader_reason, event.reason) END
            WHEN event.order_id IS NULL THEN 'no_order_named'
            WHEN target.id IS NULL THEN 'unknown_order'
            WHEN target.payment_status = 'paid' THEN 'order_paid'
            WHEN target.payment_status = 'failed' THEN 'same_status'
            WHEN target.status <> 'pending' THEN 'order_not_pending'
            END;
    END IF;
    IF reason IS NULL THEN
        outcome := 'applied';
        RETURN;
    END IF;
    outcome := CASE
        WHEN event.error IS NOT NULL THEN 'unreadable'
        WHEN reason IN ('same_status', 'same_payment') THEN 'duplicate'
        WHEN reason = 'unknown_order' THEN 'unknown_order'
        WHEN reason IN ('order_canceled', 'paid_twice') THEN 'needs_refund'
        WHEN reason IN ('amount_unreadable', 'amount_differs', 'currency_differs', 'order_completed', 'payment_changed')
            THEN 'needs_review'
        ELSE 'ignored'
        END;
END
$$;
