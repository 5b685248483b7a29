-- Returns whether a payment event reports money that the payments of its order must contain.
-- outcome and reason: of the event, for its order.
CREATE OR REPLACE FUNCTION is_received(event payment_events, target orders) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN event.payment_status = 'paid'
       AND event.outcome IN ('applied', 'needs_refund', 'needs_review')
       AND coalesce(event.amount, target.total_price) > 0
       AND coalesce(event.reader_reason, event.reason, '') <> 'amount_unreadable'
       AND coalesce(event.reason, '') NOT IN ('other_content', 'payment_changed', 'payment_of_other_order');
END
$$;
