-- Outside of a transaction: the indexes for the limits of customers, and for the bodies of ignored events.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS orders_unpaid_by_customer ON orders (customer_id)
    WHERE status = 'pending' AND payment_status <> 'paid';
COMMENT ON INDEX orders_unpaid_by_customer IS 'exceeded_limit';
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_events_ignored_with_body ON payment_events (received_at)
    WHERE body IS NOT NULL AND reason = 'type_not_ours';
COMMENT ON INDEX payment_events_ignored_with_body IS 'erase_payment_bodies';
