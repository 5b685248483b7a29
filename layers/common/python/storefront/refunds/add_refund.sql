-- Adds a requested refund of a payment, with an entry in the timeline of its order. The caller has locked the order, and
-- recounts its money afterwards.
CREATE OR REPLACE FUNCTION add_refund(payment payments, amount numeric, request jsonb) RETURNS refunds
    LANGUAGE plpgsql AS $$
DECLARE
    added refunds;
BEGIN
    INSERT INTO refunds (order_id, payment_id, amount, currency, status, reason, actor)
    VALUES (payment.order_id, payment.id, amount, payment.currency, 'requested', request ->> 'reason',
            request ->> 'actor')
    RETURNING * INTO added;
    PERFORM log_refund(added, request);
    RETURN added;
END
$$;
