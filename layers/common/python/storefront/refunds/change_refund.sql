-- Applies a refund event to its refund, which is added if it is new. Returns the order with its new amounts.
CREATE OR REPLACE FUNCTION change_refund(event payment_events, target orders, payment payments) RETURNS orders
    LANGUAGE plpgsql AS $$
DECLARE
    -- The amount of a refund that is known already counts, if the event's is 0 or cannot be read.
    reported    numeric := CASE WHEN event.amount > 0 AND event.reader_reason IS DISTINCT FROM 'amount_unreadable'
                                THEN trim_scale(event.amount) END;
    reported_at timestamptz := least(event.occurred_at, event.received_at);
    before      refunds;
    after       refunds;
BEGIN
    SELECT * INTO before FROM refunds r WHERE r.id = event.refund_id;
    INSERT INTO refunds AS r (id, order_id, payment_id, amount, currency, status, processor_reference, actor,
                              requested_at, updated_at)
    VALUES (event.refund_id, target.id, payment.id, coalesce(reported, payment.amount), payment.currency,
            event.refund_status, event.object_reference, 'payment-processor', reported_at,
            -- A refund that is made after a failure can make up for it, in whatever order the events arrive. But of two
            -- that were requested here, one that was requested before the failure was known is for something else.
            CASE WHEN event.refund_status = 'failed'
                 THEN greatest(reported_at, (SELECT max(other.requested_at) FROM refunds other
                                              WHERE other.order_id = target.id AND other.id <> event.refund_id
                                                AND 'payment-processor' NOT IN (other.actor, before.actor)))
                 ELSE clock_timestamp() END)
    ON CONFLICT (id) DO UPDATE
       SET status = greatest(r.status, excluded.status),
           amount = coalesce(reported, r.amount),
           processor_reference = coalesce(r.processor_reference, excluded.processor_reference),
           -- The processor's times have only seconds. When the shop requested a refund is known.
           requested_at = CASE WHEN r.actor = 'payment-processor' THEN least(r.requested_at, excluded.requested_at)
                               ELSE r.requested_at END,
           updated_at = CASE WHEN r.status = 'failed' THEN r.updated_at ELSE excluded.updated_at END
    RETURNING * INTO after;
    RETURN recount_money(target.id, is_shown => true, has_moved =>
        after.status IN ('succeeded', 'failed')
        AND (before.status, before.amount) IS DISTINCT FROM (after.status, after.amount));
END
$$;
