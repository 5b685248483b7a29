-- Outside of a transaction: the indexes of large tables.

-- Blocks no request while it waits.
SET lock_timeout = 0;

CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_by_updated_at ON orders (updated_at, id);
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_held ON orders (held_since, id)
    WHERE held_since IS NOT NULL AND status = 'pending' AND payment_status <> 'paid';
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_by_number ON orders (number);
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS orders_by_reference ON orders (reference) WHERE reference IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_by_email ON orders (left(fold(email), 255), created_at, id)
    WHERE email IS NOT NULL;
-- ANALYZE would store emails, as in the column.
ALTER INDEX orders_by_email ALTER COLUMN 1 SET STATISTICS 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_by_expiry ON orders (expires_at, id)
    WHERE status = 'pending' AND payment_status <> 'paid';
COMMENT ON INDEX orders_by_updated_at IS 'list_orders; updated_from, updated_to';
COMMENT ON INDEX orders_held IS 'held_too_long in reconciliation';
COMMENT ON INDEX orders_by_number IS 'The last guard against two orders with one number. Also list_orders, number.';
COMMENT ON INDEX orders_by_reference IS 'The last guard against two orders with one reference. Also list_orders, reference.';
COMMENT ON INDEX orders_by_email IS
    'list_orders, email. It is cut off, because an entry of an index has at most 2.7 kB.';
COMMENT ON INDEX orders_by_expiry IS 'expire_orders';
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_to_refund ON orders (created_at, id)
    WHERE status = 'canceled' AND payment_status = 'paid' AND total_price > 0;
COMMENT ON INDEX orders_to_refund IS 'paid_and_canceled in reconciliation';
DROP INDEX CONCURRENTLY IF EXISTS orders_canceled_and_paid;
-- The previous release expires orders by orders_by_status.
DROP INDEX CONCURRENTLY IF EXISTS orders_waiting_for_payment;

CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_events_unreadable ON payment_events (received_at, id)
    WHERE error IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_events_without_order ON payment_events (received_at, id)
    WHERE payment_status = 'paid' AND reason = 'no_order_named';
COMMENT ON INDEX payment_events_unreadable IS 'unreadable_event in reconciliation';
COMMENT ON INDEX payment_events_without_order IS 'event_without_order in reconciliation';

CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS products_by_sku ON products (fold(sku))
    WHERE deleted_at IS NULL AND sku IS NOT NULL;
COMMENT ON INDEX products_by_sku IS
'No two products have the same SKU, except deleted ones. Case, Unicode form and width do not matter. Also list_products, sku.
64 characters have at most 2.1 kB when folded, and an entry of an index has at most 2.7 kB.';
