-- Returns a reconciliation entry as the API shows it, with its order, and what it is about.
CREATE OR REPLACE FUNCTION reconciliation_entry_json(entry reconciliation) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    mismatched      orders;
    event           payment_events;
    payment         payments;
    refund          refunds;
    acknowledgement acknowledgements;
    explanation     record;
BEGIN
    SELECT * INTO mismatched FROM orders o WHERE o.id = entry.order_id;
    SELECT * INTO event FROM payment_events e WHERE e.id = entry.payment_event_id;
    SELECT * INTO payment FROM payments p WHERE p.id = entry.payment_id;
    SELECT * INTO refund FROM refunds r WHERE r.id = entry.refund_id;
    SELECT * INTO acknowledgement
      FROM acknowledgements a
     WHERE (a.kind, a.entry_id, a.money_changes) = (entry.kind, entry.id, entry.money_changes);
    explanation := explain_mismatch(entry.kind, mismatched, event, payment, refund);
    RETURN json_build_object(
        'kind', entry.kind,
        'id', entry.id,
        'since', rfc3339(entry.since),
        'message', explanation.message,
        'action', explanation.action,
        'order', CASE WHEN mismatched.id IS NOT NULL THEN json_build_object(
            'id', mismatched.id, 'number', mismatched.number, 'customer_id', mismatched.customer_id,
            'status', mismatched.status, 'payment_status', mismatched.payment_status,
            'total_price', mismatched.total_price::text, 'currency', mismatched.currency,
            'paid_amount', money_text(mismatched.paid_amount),
            'refunded_amount', money_text(mismatched.refunded_amount), 'refund_status', mismatched.refund_status,
            'created_at', rfc3339(mismatched.created_at)) END,
        'payment_event', CASE WHEN event.id IS NOT NULL THEN payment_event_json(event) END,
        'payment', CASE WHEN payment.id IS NOT NULL THEN payment_json(payment) END,
        'refund', CASE WHEN refund.id IS NOT NULL THEN refund_json(refund) END,
        'acknowledgement', CASE WHEN acknowledgement.entry_id IS NOT NULL THEN json_build_object(
            'note', acknowledgement.note, 'actor', acknowledgement.actor,
            'acknowledged_at', rfc3339(acknowledgement.acknowledged_at)) END);
END
$$;
