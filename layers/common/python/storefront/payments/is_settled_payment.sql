-- Returns whether the money of a payment adds up, as far as its own row shows.
CREATE OR REPLACE FUNCTION is_settled_payment(payment payments) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (payment.reason IS NULL OR payment.refunded_amount + payment.lost_amount >= payment.amount)
       AND payment.reported_refunds <= payment.known_refunds
       AND payment.open_amount + payment.refunded_amount + payment.lost_amount <= payment.amount;
END
$$;
