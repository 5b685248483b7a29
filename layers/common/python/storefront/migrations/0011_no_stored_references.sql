-- Outside of a transaction: drop what only the previous two migrations needed.
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS payment_events_without_references;
DROP FUNCTION IF EXISTS stored_references, stored_reference;
