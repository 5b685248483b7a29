-- Outside of a transaction: each order has a number and an expiry.

-- LOCK TABLE and VALIDATE block no request while they wait. The first stops an autovacuum. ALTER TABLE would wait for
-- its end, and requests would wait behind it.
SET lock_timeout = 0;

BEGIN;
LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE;
SET LOCAL lock_timeout = '300ms';
ALTER TABLE orders
    DROP CONSTRAINT IF EXISTS orders_have_numbers,
    ADD CONSTRAINT orders_have_numbers CHECK (number IS NOT NULL AND expires_at IS NOT NULL) NOT VALID;
COMMIT;

ALTER TABLE orders VALIDATE CONSTRAINT orders_have_numbers;

-- With the valid constraint, SET NOT NULL does not scan the table.
BEGIN;
LOCK TABLE orders IN SHARE UPDATE EXCLUSIVE MODE;
SET LOCAL lock_timeout = '300ms';
ALTER TABLE orders
    ALTER COLUMN number SET NOT NULL,
    ALTER COLUMN expires_at SET NOT NULL;
ALTER TABLE orders DROP CONSTRAINT orders_have_numbers;
DROP TABLE IF EXISTS order_numbering;
COMMIT;
