-- Returns whether a request is for more than its payment has left: money can go back at the processor after the request.
CREATE OR REPLACE FUNCTION exceeds_payment(refund refunds) RETURNS boolean
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT p.refunded_amount + p.lost_amount + refund.amount > p.amount - coalesce(
                   (SELECT sum(r.amount) FROM refunds r WHERE r.payment_id = p.id AND r.status = 'pending'), 0)
              FROM payments p
             WHERE p.id = refund.payment_id);
END
$$;
