-- Returns a refund as the API shows it.
CREATE OR REPLACE FUNCTION refund_json(refund refunds) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN json_build_object(
        'id', refund.id,
        'order_id', refund.order_id,
        'payment_id', refund.payment_id,
        'payment_reference', (SELECT p.reference FROM payments p WHERE p.id = refund.payment_id),
        'amount', money_text(refund.amount),
        'currency', refund.currency,
        'status', refund.status,
        'lines', (SELECT coalesce(json_agg(json_build_object(
                             'order_item_id', l.order_item_id, 'quantity', l.quantity, 'restock', l.restock)
                         ORDER BY item.line_number, l.restock), '[]')
                    FROM refund_lines l JOIN order_items item ON item.id = l.order_item_id
                   WHERE l.refund_id = refund.id),
        'reason', refund.reason,
        'processor_reference', refund.processor_reference,
        'requested_by', refund.actor,
        'requested_at', rfc3339(refund.requested_at),
        'updated_at', rfc3339(refund.updated_at));
END
$$;
