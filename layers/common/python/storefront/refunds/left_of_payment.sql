-- Returns the amount of a payment that neither went back nor is requested. It is not negative.
CREATE OR REPLACE FUNCTION left_of_payment(payment payments) RETURNS numeric
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN greatest(payment.amount - payment.open_amount - payment.refunded_amount - payment.lost_amount, 0);
END
$$;
