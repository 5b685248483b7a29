-- Locks payments by their references until the transaction ends. An event that names no order locks no order, so
-- without this lock it could be stored unseen by an erasure. The order's lock comes first, the events' locks later.
-- Payments share 256 locks: PostgreSQL has memory for a limited number, and a customer can have very many payments.
CREATE OR REPLACE FUNCTION lock_payments(payment_references text[]) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('payments ' || shared.number, 0))
       FROM (SELECT DISTINCT hashtext(reference) & 255 AS number FROM unnest(payment_references) reference
              WHERE reference IS NOT NULL ORDER BY number) shared;
END
$$;
