-- Returns whether an earlier release stored an event about a refund or a dispute without reading it.
CREATE OR REPLACE FUNCTION is_unread_refund(event payment_events) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN event.reason = 'type_not_ours' AND event.type IN (
        'refund.created', 'refund.updated', 'refund.failed', 'charge.refund.updated', 'charge.refunded',
        'charge.dispute.created', 'charge.dispute.updated', 'charge.dispute.closed',
        'charge.dispute.funds_withdrawn', 'charge.dispute.funds_reinstated',
        'refund.pending', 'refund.canceled', 'refund.succeeded', 'dispute.opened', 'dispute.won', 'dispute.lost');
END
$$;
