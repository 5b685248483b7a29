-- Returns whether a payment event is about a refund or a dispute.
CREATE OR REPLACE FUNCTION is_about_refund(event payment_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN event.refund_status IS NOT NULL OR event.dispute_status IS NOT NULL
        OR coalesce(event.reader_reason, event.reason) IS NOT DISTINCT FROM 'refund_total';
END
$$;
