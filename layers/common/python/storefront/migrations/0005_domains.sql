-- What a column may hold becomes its type. PostgreSQL reads a table's CHECK constraints from their text again for each
-- statement that writes a row, whatever it changes; a domain's it keeps ready in the session, and asks where a value of
-- the domain is made. A quarter of an order's instructions went into that.

CREATE DOMAIN product_name AS text;
CREATE DOMAIN product_description AS text;
CREATE DOMAIN price AS numeric(10, 2);
CREATE DOMAIN stock_quantity AS integer;
CREATE DOMAIN positive_integer AS integer;

ALTER TABLE products
    ALTER COLUMN name TYPE product_name,
    ALTER COLUMN description TYPE product_description,
    ALTER COLUMN price TYPE price,
    ALTER COLUMN quantity TYPE stock_quantity;
ALTER TABLE orders
    ALTER COLUMN customer_id TYPE positive_integer,
    ALTER COLUMN total_price TYPE price;
ALTER TABLE order_items
    ALTER COLUMN quantity TYPE positive_integer,
    ALTER COLUMN price_at_purchase TYPE price;

-- After the columns have their types: for a domain that has a rule already, PostgreSQL would write each table anew.
ALTER DOMAIN product_name ADD CONSTRAINT product_name_length CHECK (char_length(VALUE) BETWEEN 1 AND 255);
ALTER DOMAIN product_name ADD CONSTRAINT product_name_not_blank CHECK (VALUE ~ '\S');
ALTER DOMAIN product_description ADD CONSTRAINT product_description_length CHECK (char_length(VALUE) <= 10000);
ALTER DOMAIN price ADD CONSTRAINT price_positive CHECK (VALUE > 0);
-- The last line of defence against selling what is not there.
ALTER DOMAIN stock_quantity ADD CONSTRAINT stock_quantity_not_negative CHECK (VALUE >= 0);
ALTER DOMAIN positive_integer ADD CONSTRAINT positive_integer_positive CHECK (VALUE > 0);

ALTER TABLE products
    DROP CONSTRAINT products_name_length,
    DROP CONSTRAINT products_name_not_blank,
    DROP CONSTRAINT products_description_length,
    DROP CONSTRAINT products_price_positive,
    DROP CONSTRAINT products_quantity_not_negative;
ALTER TABLE orders
    DROP CONSTRAINT orders_customer_id_positive,
    DROP CONSTRAINT orders_total_price_positive;
ALTER TABLE order_items
    DROP CONSTRAINT order_items_quantity_positive,
    DROP CONSTRAINT order_items_price_positive;

-- What the columns of a movement say together: as a function, which has its plan in the session, too.
CREATE FUNCTION is_stock_movement(kind stock_movement_kind, delta bigint, order_id uuid, reason text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE kind
        WHEN 'opening' THEN delta >= 0 AND order_id IS NULL AND reason IS NULL
        WHEN 'sale' THEN delta < 0 AND order_id IS NOT NULL AND reason IS NULL
        WHEN 'restock' THEN delta > 0 AND order_id IS NOT NULL AND reason IS NULL
        WHEN 'adjustment' THEN delta <> 0 AND order_id IS NULL AND reason IS NOT NULL
        -- Nothing said of a kind would be NULL, which a CHECK lets through.
        ELSE false
        END;
END
$$;
ALTER TABLE stock_movements
    ADD CONSTRAINT stock_movements_fit_together CHECK (is_stock_movement(kind, delta, order_id, reason)),
    DROP CONSTRAINT stock_movements_delta,
    DROP CONSTRAINT stock_movements_order,
    DROP CONSTRAINT stock_movements_reason;

-- A column whose type changed is one that the planner knows nothing of. Of tables without a row it had better know
-- nothing: it would take them for empty for as long as a session keeps its plans.
DO $$
DECLARE
    changed text;
    has_rows boolean;
BEGIN
    FOREACH changed IN ARRAY ARRAY['products', 'orders', 'order_items'] LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM %I)', changed) INTO has_rows;
        IF has_rows THEN
            EXECUTE format('ANALYZE %I', changed);
        END IF;
    END LOOP;
END
$$;
