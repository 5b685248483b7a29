-- Carries out a decided refund or dispute event, and returns the order as it is then. The caller has locked the order.
CREATE OR REPLACE FUNCTION carry_out_refund_event(
    event payment_events, target orders, payment payments, request jsonb
) RETURNS orders
    LANGUAGE plpgsql AS $$
DECLARE
    -- The amount of a refund that is known already counts, if the event's cannot be read.
    reported numeric := CASE WHEN event.reader_reason IS DISTINCT FROM 'amount_unreadable' THEN trim_scale(event.amount) END;
BEGIN
    IF event.outcome = 'applied' AND event.refund_status IS NOT NULL THEN
        INSERT INTO refunds AS r (id, order_id, payment_id, amount, currency, status, processor_reference, actor)
        VALUES (event.refund_id, target.id, payment.id, coalesce(reported, payment.amount), payment.currency,
                event.refund_status, event.object_reference, 'payment processor')
        ON CONFLICT (id) DO UPDATE
           SET status = greatest(r.status, excluded.status),
               amount = coalesce(reported, r.amount),
               processor_reference = coalesce(r.processor_reference, excluded.processor_reference),
               updated_at = excluded.updated_at;
        RETURN recount_money(target.id, is_shown => true, has_moved => event.refund_status IN ('succeeded', 'failed'));
    ELSIF event.outcome = 'applied' THEN
        INSERT INTO disputes AS d (order_id, payment_id, reference, status, amount, currency, changed_at)
        VALUES (target.id, payment.id, coalesce(event.object_reference, ''), event.dispute_status, reported,
                event.currency, least(event.occurred_at, event.received_at))
        ON CONFLICT (payment_id, reference) DO UPDATE
           SET status = excluded.status, changed_at = excluded.changed_at,
               amount = coalesce(excluded.amount, d.amount), currency = coalesce(excluded.currency, d.currency);
        RETURN recount_money(target.id, has_moved => true);
    ELSIF event.reason = 'refund_total' AND event.currency = payment.currency THEN
        UPDATE payments p SET reported_refunds = greatest(p.reported_refunds, reported) WHERE p.id = payment.id;
        RETURN recount_money(target.id);
    ELSIF event.reason = 'payment_unknown' THEN
        -- The first payment of this order looks for events that wait for it.
        UPDATE orders o SET money_changes = o.money_changes + 1 WHERE o.id = target.id
        RETURNING * INTO target;
    END IF;
    RETURN target;
END
$$;
