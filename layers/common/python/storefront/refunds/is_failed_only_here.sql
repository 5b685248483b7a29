-- Returns whether only staff said that a refund failed, and nobody ever said that it succeeded. Then a success that the
-- processor reports is news.
CREATE OR REPLACE FUNCTION is_failed_only_here(refund refunds) RETURNS boolean
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN NOT EXISTS (
        SELECT FROM order_events e
         WHERE e.order_id = refund.order_id AND e.refund_id = refund.id
           AND (e.refund_status = 'succeeded' OR e.refund_status = 'failed' AND e.cause <> 'refund')
           AND (e.cause = 'refund' OR e.outcome = 'applied' OR e.reason = 'same_status'));
END
$$;
