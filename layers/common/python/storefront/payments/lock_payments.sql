-- Locks payments by their references until the transaction ends. An event that names no order locks no order, so
-- without this lock it could be stored unseen by an erasure. The order's lock comes first, the events' locks later.
CREATE OR REPLACE FUNCTION lock_payments(payment_references text[]) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('payment ' || known.reference, 0))
       FROM (SELECT DISTINCT reference FROM unnest(payment_references) reference
              WHERE reference IS NOT NULL ORDER BY reference) known;
END
$$;
