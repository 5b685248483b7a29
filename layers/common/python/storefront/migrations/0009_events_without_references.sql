-- Outside of a transaction: an index of the events whose body contains processor references that are in no column yet.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS payment_events_without_references ON payment_events (id)
    WHERE provider = 'stripe' AND object_reference IS NULL
          AND (stored_references(type, body)).object_reference IS NOT NULL;
