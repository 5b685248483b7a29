-- Returns a payment as the API shows it.
CREATE OR REPLACE FUNCTION payment_json(payment payments) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN json_build_object(
        'id', payment.id,
        'order_id', payment.order_id,
        'reference', payment.reference,
        'amount', money_text(payment.amount),
        'currency', payment.currency,
        'refunded_amount', money_text(payment.refunded_amount),
        'amount_left', money_text(left_of_payment(payment)),
        'reason', payment.reason,
        'disputes', (SELECT coalesce(json_agg(dispute_json(d) ORDER BY d.opened_at, d.id), '[]')
                       FROM disputes d WHERE d.payment_id = payment.id),
        'received_at', rfc3339(payment.received_at));
END
$$;
