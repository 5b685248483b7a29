-- Returns the payment of an order that a refund can be requested of. wanted_id: the payment, or NULL for the only one
-- with money left. Returns NULL if no payment has money left. The caller has locked the order.
-- Outcomes: NULL; unknown_payment; several_payments, with the payments; payment_disputed.
CREATE OR REPLACE FUNCTION refundable_payment(
    target orders, wanted_id uuid, OUT outcome text, OUT body json, OUT payment payments
)
    LANGUAGE plpgsql AS $$
DECLARE
    candidates payments[];
BEGIN
    PERFORM complete_payments(ARRAY[target.id]);
    candidates := ARRAY(
        SELECT p FROM payments p
         WHERE p.order_id = target.id
           AND (p.id = wanted_id OR wanted_id IS NULL AND left_of_payment(p) > 0)
         ORDER BY p.received_at, p.id);
    -- Without money left, an open dispute is the reason for the refusal.
    payment := coalesce(candidates[1], (SELECT p FROM payments p WHERE p.order_id = target.id AND is_disputed(p.id)
                                         ORDER BY p.received_at, p.id LIMIT 1));
    outcome := CASE
        WHEN wanted_id IS NOT NULL AND cardinality(candidates) = 0 THEN 'unknown_payment'
        WHEN cardinality(candidates) > 1 THEN 'several_payments'
        WHEN is_disputed(payment.id) THEN 'payment_disputed'
        END;
    IF outcome = 'several_payments' THEN
        body := (SELECT json_agg(payment_json(p)) FROM unnest(candidates) p);
    END IF;
END
$$;
