-- Adds a refund that succeeded at the processor, although staff had set it to failed. No event moves a refund out of
-- failed, so the money counts as another refund, which gets the reference. Returns the order with its new amounts.
CREATE OR REPLACE FUNCTION add_made_refund(event payment_events, failed refunds) RETURNS orders
    LANGUAGE plpgsql AS $$
BEGIN
    UPDATE refunds r SET processor_reference = NULL
     WHERE r.id = failed.id AND r.processor_reference = event.object_reference;
    -- From now on, it makes up for the failure.
    INSERT INTO refunds (id, order_id, payment_id, amount, currency, status, processor_reference, actor)
    VALUES (event.id, failed.order_id, failed.payment_id,
            CASE WHEN event.reader_reason IS NOT DISTINCT FROM 'amount_unreadable' THEN failed.amount
                 ELSE coalesce(trim_scale(event.amount), failed.amount) END,
            failed.currency, 'succeeded', event.object_reference, failed.actor);
    RETURN recount_money(failed.order_id, is_shown => true, has_moved => true);
END
$$;
