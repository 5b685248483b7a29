-- Outside of a transaction: the index by which the next migration finds its rows.
SET lock_timeout = 0;
CREATE INDEX CONCURRENTLY IF NOT EXISTS products_without_words ON products (id) WHERE name_words IS NULL;
