-- Returns whether a payment has an open dispute.
CREATE OR REPLACE FUNCTION is_disputed(disputed_id uuid) RETURNS boolean
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM disputes d WHERE d.payment_id = disputed_id AND d.status = 'open');
END
$$;
