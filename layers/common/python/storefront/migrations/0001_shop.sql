-- Products, orders and their lines. Runs on PostgreSQL 15 to 18.

CREATE TABLE products (
    id          uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name        text NOT NULL,
    description text,
    price       numeric(10, 2) NOT NULL,
    quantity    integer NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    -- Set instead of deleting the row: old orders go on pointing at it.
    deleted_at  timestamptz,
    CONSTRAINT products_name_length CHECK (char_length(name) BETWEEN 1 AND 255),
    CONSTRAINT products_name_not_blank CHECK (name ~ '\S'),
    CONSTRAINT products_description_length CHECK (char_length(description) <= 10000),
    CONSTRAINT products_price_positive CHECK (price > 0),
    -- The last line of defence against selling what is not there.
    CONSTRAINT products_quantity_not_negative CHECK (quantity >= 0)
);

-- One index for each order a list can be in; ties are broken by id.
CREATE INDEX products_by_created_at ON products (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_name ON products (name, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_price ON products (price, id) WHERE deleted_at IS NULL;
-- Serves in_stock as well. An index on quantity keeps stock changes from being heap-only updates;
-- sorting and filtering a large catalogue by stock is worth that.
CREATE INDEX products_by_quantity ON products (quantity, id) WHERE deleted_at IS NULL;

CREATE TYPE order_status AS ENUM (
    'pending',    -- to completed, to canceled
    'completed',  -- final
    'canceled'    -- final; the stock was given back
);

CREATE TYPE payment_status AS ENUM (
    'unpaid',  -- to paid, to failed
    'paid',    -- final: a later failed does not take it back
    'failed'   -- to paid
);

CREATE TABLE orders (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id    integer NOT NULL,
    status         order_status NOT NULL DEFAULT 'pending',
    payment_status payment_status NOT NULL DEFAULT 'unpaid',
    total_price    numeric(10, 2) NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT orders_customer_id_positive CHECK (customer_id > 0),
    CONSTRAINT orders_total_price_positive CHECK (total_price > 0)
);

CREATE INDEX orders_by_created_at ON orders (created_at, id);
CREATE INDEX orders_by_customer ON orders (customer_id, created_at, id);
CREATE INDEX orders_by_status ON orders (status, created_at, id);
CREATE INDEX orders_by_payment_status ON orders (payment_status, created_at, id);

CREATE TABLE order_items (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id          uuid NOT NULL REFERENCES orders (id),
    product_id        uuid NOT NULL REFERENCES products (id),
    line_number       smallint NOT NULL,
    -- Copied, so that an order reads the same whatever becomes of the product.
    product_name      text NOT NULL,
    quantity          integer NOT NULL,
    price_at_purchase numeric(10, 2) NOT NULL,
    CONSTRAINT order_items_quantity_positive CHECK (quantity > 0),
    CONSTRAINT order_items_price_positive CHECK (price_at_purchase > 0),
    -- One line a product; also the way from an order to its lines.
    CONSTRAINT order_items_one_line_per_product UNIQUE (order_id, product_id)
);

-- RFC 3339, UTC, with a Z.
CREATE FUNCTION rfc3339(moment timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- A page of a list as the API shows it.
CREATE FUNCTION page_json(items json, total bigint, page integer, page_size integer) RETURNS json
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN json_build_object(
        'items', items,
        'total', total,
        'page', page,
        'page_size', page_size,
        'total_pages', (total + page_size - 1) / page_size);
