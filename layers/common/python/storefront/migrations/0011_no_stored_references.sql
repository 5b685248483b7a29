-- Outside of a transaction: drop what only the previous two migrations needed.
DROP INDEX CONCURRENTLY IF EXISTS payment_events_without_references;
DROP FUNCTION IF EXISTS stored_references, stored_reference;
