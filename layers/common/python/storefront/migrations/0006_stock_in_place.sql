-- A sale becomes a heap-only update, which writes to none of the product's indexes: an index on the quantity itself made
-- every sale an entry in all six. A catalogue is read in the order of its stock by a bucket of it, which a sale seldom
-- leaves, and sorted within.

-- The bucket of a quantity: 0 for none, and then one for each number of digits, up to seven and more.
CREATE FUNCTION quantity_bucket(quantity integer) RETURNS smallint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN width_bucket(quantity, ARRAY[1, 10, 100, 1000, 10000, 100000, 1000000]);
END
$$;

DROP INDEX products_by_quantity;
-- The room in each page for what sales write, which PostgreSQL clears up as it goes. Said first: the new column has the
-- table written anew, with that room.
ALTER TABLE products SET (fillfactor = 80);
ALTER TABLE products ADD COLUMN quantity_bucket smallint GENERATED ALWAYS AS (quantity_bucket(quantity)) STORED;
-- Serves in_stock as well.
CREATE INDEX products_by_quantity_bucket ON products (quantity_bucket, id) WHERE deleted_at IS NULL;

-- As after any change of a column: the planner had better know what is in it, or nothing of a table without a row.
DO $$
BEGIN
    IF EXISTS (SELECT FROM products) THEN
        ANALYZE products;
    END IF;
END
$$;
