-- Outside of a transaction: drop what only the previous migration needed.
SET lock_timeout = 0;
DROP INDEX CONCURRENTLY IF EXISTS products_without_words;
