-- Decides the outcome of a refund or dispute event, and the reason if the event is not applied. Changes nothing.
CREATE OR REPLACE FUNCTION refund_decision(
    event payment_events,
    target orders,         -- NULL if the order was not found
    payment payments,      -- NULL, or without an order, if the payment was not reported yet
    refund refunds,        -- the refund that the event is about, or NULL if it is not known yet
    dispute disputes,      -- as refund
    settings jsonb,        -- as in refused_by_settings
    OUT outcome payment_event_outcome,
    OUT reason text
)
    LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    reported_at timestamptz := least(event.occurred_at, event.received_at);
BEGIN
    reason := CASE
        WHEN refused_by_settings(event, settings) IS NOT NULL THEN refused_by_settings(event, settings)
        WHEN payment.order_id IS NULL THEN
            -- A payment that is named can be one of another order.
            CASE WHEN target.id IS NULL AND event.payment_reference IS NULL THEN 'unknown_order'
                 ELSE 'payment_unknown' END
        WHEN event.reader_reason = 'refund_total' THEN 'refund_total'
        WHEN event.refund_status IS NOT NULL THEN CASE
            WHEN event.currency <> payment.currency THEN 'currency_differs'
            WHEN refund.id IS NULL AND (event.amount IS NULL OR event.reader_reason = 'amount_unreadable')
                THEN 'amount_unreadable'
            -- What did not go back can have the amount 0. That says nothing about a refund that is not known yet.
            WHEN event.amount <= 0 AND (refund.id IS NULL OR event.refund_status NOT IN ('canceled', 'failed'))
                THEN 'amount_zero'
            WHEN refund.id IS NULL OR event.refund_status > refund.status
                 OR refund.processor_reference IS NULL AND event.object_reference IS NOT NULL THEN NULL
            WHEN event.refund_status = refund.status THEN 'same_status'
            ELSE 'older_status' END
        -- The newest event counts. Of two within a second, the end of the dispute does.
        WHEN dispute.id IS NULL OR (reported_at, event.dispute_status) > (dispute.changed_at, dispute.status) THEN NULL
        WHEN event.dispute_status = dispute.status THEN 'same_status'
        ELSE 'older_status'
        END;
    outcome := CASE
        WHEN reason IS NULL THEN 'applied'
        WHEN reason = 'same_status' THEN 'duplicate'
        WHEN reason = 'unknown_order' THEN 'unknown_order'
        WHEN reason IN ('amount_unreadable', 'currency_differs') THEN 'needs_review'
        ELSE 'ignored'
        END;
END
$$;
