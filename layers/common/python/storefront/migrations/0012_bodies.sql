-- Outside of a transaction: the indexes by which the bodies of payment events are found and erased.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_events_by_reference ON payment_events (payment_reference)
    WHERE payment_reference IS NOT NULL;
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_events_with_body ON payment_events (received_at)
    WHERE body IS NOT NULL;
-- payment_events_by_reference serves its query too.
DROP INDEX CONCURRENTLY IF EXISTS payment_events_by_payment;
COMMENT ON INDEX payment_events_by_reference IS
    'Other events about a payment: event_without_order in reconciliation, erase_bodies_of_orders, without_erased_body';
COMMENT ON INDEX payment_events_with_body IS 'erase_payment_bodies';
