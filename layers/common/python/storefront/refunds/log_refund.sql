-- Adds an entry to the timeline of an order: a caller requested a refund, or set its status.
-- reason: why the status changed, if not because a caller set it.
CREATE OR REPLACE FUNCTION log_refund(refund refunds, request jsonb, reason text DEFAULT NULL) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO order_events (order_id, cause, actor, party, from_status, from_payment_status, to_status,
                              to_payment_status, reason, request_id, idempotency_key, refund_id, refund_status)
    SELECT o.id, 'refund', request ->> 'actor', (request ->> 'party')::party, o.status, o.payment_status, o.status,
           o.payment_status, reason, request ->> 'request_id', request ->> 'idempotency_key', refund.id, refund.status
      FROM orders o
     WHERE o.id = refund.order_id;
END
$$;
