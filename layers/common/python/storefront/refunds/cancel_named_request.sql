-- Cancels an open request that an event names, if its refund was counted as one that was made at the processor before.
-- For example, staff made it there with another amount, and added the metadata later. An event that has no effect on its
-- refund, for example because of its currency, cancels nothing. The caller has locked the order.
CREATE OR REPLACE FUNCTION cancel_named_request(named_id uuid, event payment_events, request jsonb) RETURNS void
    LANGUAGE plpgsql AS $$
DECLARE
    canceled refunds;
BEGIN
    UPDATE refunds r
       SET status = 'canceled', updated_at = clock_timestamp()
      FROM refunds made
     WHERE r.id = named_id AND r.status IN ('requested', 'pending') AND r.processor_reference IS NULL
       AND made.id = event.refund_id AND made.id <> r.id AND made.payment_id = r.payment_id
       AND made.actor = 'payment-processor'
       AND (event.outcome = 'applied' OR event.reason IN ('same_status', 'older_status'))
    RETURNING r.* INTO canceled;
    IF FOUND THEN
        PERFORM log_refund(canceled, request, 'made_at_processor');
        PERFORM recount_money(canceled.order_id, is_shown => true);
    END IF;
END
$$;
