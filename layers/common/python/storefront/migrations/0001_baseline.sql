-- The schema of release 0.2.0. Later changes are in the migrations after this one; docs/reference/schema.sql shows the
-- result of all of them. Runs on PostgreSQL 15 to 18.


-- Types ---------------------------------------------------------------------------------------------------------------

CREATE DOMAIN product_name AS text
    CONSTRAINT product_name_length CHECK (char_length(VALUE) BETWEEN 1 AND 255)
    CONSTRAINT product_name_not_blank CHECK (VALUE ~ '\S');

CREATE DOMAIN product_description AS text
    CONSTRAINT product_description_length CHECK (char_length(VALUE) <= 10000);

CREATE DOMAIN price AS numeric(10, 2)
    CONSTRAINT price_positive CHECK (VALUE > 0);

CREATE DOMAIN stock_quantity AS integer
    CONSTRAINT stock_quantity_not_negative CHECK (VALUE >= 0);
COMMENT ON DOMAIN stock_quantity IS 'The check is the last guard against overselling.';

CREATE DOMAIN positive_integer AS integer
    CONSTRAINT positive_integer_positive CHECK (VALUE > 0);

-- A rule about one column is a check of its domain. PostgreSQL parses the checks of a table again for each statement
-- that writes a row. The checks of a domain stay prepared in the session, and run only for a new value.

CREATE TYPE order_status AS ENUM ('pending', 'completed', 'canceled');
COMMENT ON TYPE order_status IS
'pending: to completed or canceled
completed: final
canceled: final; the stock was returned';

CREATE TYPE payment_status AS ENUM ('unpaid', 'paid', 'failed');
COMMENT ON TYPE payment_status IS
'unpaid: to paid or failed
paid: final; a later failure does not revert it
failed: to paid';

CREATE TYPE order_event_cause AS ENUM ('placed', 'status_change', 'payment_event', 'replay', 'expiry');
COMMENT ON TYPE order_event_cause IS
'placed: always the first event of an order
status_change: a caller completed or canceled the order
payment_event: a processor reported a payment; the outcome says what it changed
replay: a caller processed a stored payment event again
expiry: the order was not paid in time';

CREATE TYPE stock_movement_kind AS ENUM ('opening', 'sale', 'restock', 'adjustment');
COMMENT ON TYPE stock_movement_kind IS
'opening: the stock of a new product
sale: an order took stock
restock: a canceled order returned its stock
adjustment: a caller corrected the stock or set the quantity';

CREATE TYPE payment_event_outcome AS ENUM (
    'applied', 'duplicate', 'ignored', 'needs_refund', 'needs_review', 'unknown_order');
COMMENT ON TYPE payment_event_outcome IS
'applied: final; the event changed the payment status of its order
duplicate: the order already had that payment status
ignored: the event requires no action
needs_refund: a payment for a canceled order
needs_review: staff must decide
unknown_order: the order was not found; a later delivery replaces the event';


-- Functions that tables, indexes and other functions need -------------------------------------------------------------

CREATE FUNCTION rfc3339(moment timestamptz) RETURNS text
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN to_char(moment AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
COMMENT ON FUNCTION rfc3339 IS 'A timestamp as in RFC 3339, in UTC with a Z.';

CREATE FUNCTION words(content text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_remove(regexp_split_to_array(lower(content), '[^[:alnum:]]+'), '');
COMMENT ON FUNCTION words IS 'The words of a text in lower case, for a search by word.';

CREATE FUNCTION quantity_bucket(quantity integer) RETURNS smallint
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN width_bucket(quantity, ARRAY[1, 10, 100, 1000, 10000, 100000, 1000000]);
END
$$;
COMMENT ON FUNCTION quantity_bucket IS
    'The bucket of a quantity: 0 for none, otherwise the number of its digits, at most 7.';

-- A function, since its plan stays in the session; see the domains above.
CREATE FUNCTION is_stock_movement(kind stock_movement_kind, delta bigint, order_id uuid, reason text) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE kind
        WHEN 'opening' THEN delta >= 0 AND order_id IS NULL AND reason IS NULL
        WHEN 'sale' THEN delta < 0 AND order_id IS NOT NULL AND reason IS NULL
        WHEN 'restock' THEN delta > 0 AND order_id IS NOT NULL AND reason IS NULL
        WHEN 'adjustment' THEN delta <> 0 AND order_id IS NULL AND reason IS NOT NULL
        -- Without it, a new kind would give NULL, which a CHECK accepts.
        ELSE false
        END;
END
$$;
COMMENT ON FUNCTION is_stock_movement IS 'Whether the columns of a stock movement fit together.';

CREATE FUNCTION idempotency_key_lifetime() RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN interval '72 hours';
COMMENT ON FUNCTION idempotency_key_lifetime IS 'How long an idempotency key keeps its response.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op;
END
$$;
COMMENT ON FUNCTION refuse_change IS 'The trigger of the tables that are append-only.';


-- Products ------------------------------------------------------------------------------------------------------------

CREATE TABLE products (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    name            product_name NOT NULL,
    description     product_description,
    price           price NOT NULL,
    quantity        stock_quantity NOT NULL,
    quantity_bucket smallint GENERATED ALWAYS AS (quantity_bucket(quantity)) STORED,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    deleted_at      timestamptz
) WITH (fillfactor = 80);
COMMENT ON TABLE products IS
'What the shop sells. The fill factor leaves room in each page for heap-only updates: a sale writes to no index.';
COMMENT ON COLUMN products.quantity IS 'The stock on hand: the sum of the product''s stock movements.';
COMMENT ON COLUMN products.quantity_bucket IS
    'Lists sort by it first. An index on the quantity itself would make each sale write to every index.';
COMMENT ON COLUMN products.deleted_at IS 'Set instead of deleting the row, because orders refer to it.';

-- One index for each sort order of the list. The ID breaks ties.
CREATE INDEX products_by_created_at ON products (created_at, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_name ON products (name, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_price ON products (price, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_quantity_bucket ON products (quantity_bucket, id) WHERE deleted_at IS NULL;
CREATE INDEX products_by_word ON products USING gin (words(name))
    WITH (gin_pending_list_limit = 256) WHERE deleted_at IS NULL;
COMMENT ON INDEX products_by_created_at IS 'list_products, sort=created_at';
COMMENT ON INDEX products_by_name IS 'list_products, sort=name';
COMMENT ON INDEX products_by_price IS 'list_products, sort=price; min_price, max_price';
COMMENT ON INDEX products_by_quantity_bucket IS 'list_products, sort=quantity; in_stock';
COMMENT ON INDEX products_by_word IS
    'list_products, q. New entries wait in a list that each search reads, so that list is kept short (256 kB).';


-- Orders --------------------------------------------------------------------------------------------------------------

CREATE TABLE orders (
    id             uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    customer_id    positive_integer NOT NULL,
    status         order_status NOT NULL DEFAULT 'pending',
    payment_status payment_status NOT NULL DEFAULT 'unpaid',
    total_price    price NOT NULL,
    created_at     timestamptz NOT NULL DEFAULT now(),
    updated_at     timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE orders IS 'Each order in its current state. order_events has its history.';
COMMENT ON COLUMN orders.total_price IS 'The sum of the line items.';

CREATE INDEX orders_by_created_at ON orders (created_at, id);
CREATE INDEX orders_by_customer ON orders (customer_id, created_at, id);
CREATE INDEX orders_by_status ON orders (status, created_at, id);
CREATE INDEX orders_by_payment_status ON orders (payment_status, created_at, id);
CREATE INDEX orders_waiting_for_payment ON orders (created_at, id)
    WHERE status = 'pending' AND payment_status <> 'paid';
CREATE INDEX orders_canceled_and_paid ON orders (created_at, id) WHERE status = 'canceled' AND payment_status = 'paid';
CREATE INDEX orders_completed_and_unpaid ON orders (created_at, id)
    WHERE status = 'completed' AND payment_status <> 'paid';
COMMENT ON INDEX orders_by_created_at IS 'list_orders; created_from, created_to';
COMMENT ON INDEX orders_by_customer IS 'list_orders, customer_id';
COMMENT ON INDEX orders_by_status IS 'list_orders, status; pending_too_long in reconciliation';
COMMENT ON INDEX orders_by_payment_status IS 'list_orders, payment_status';
COMMENT ON INDEX orders_waiting_for_payment IS 'expire_orders';
COMMENT ON INDEX orders_canceled_and_paid IS 'paid_and_canceled in reconciliation';
COMMENT ON INDEX orders_completed_and_unpaid IS 'completed_and_unpaid in reconciliation';

CREATE TABLE order_items (
    id                uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id          uuid NOT NULL REFERENCES orders (id),
    product_id        uuid NOT NULL REFERENCES products (id),
    line_number       smallint NOT NULL,
    product_name      text NOT NULL,
    quantity          positive_integer NOT NULL,
    price_at_purchase price NOT NULL,
    CONSTRAINT order_items_one_line_per_product UNIQUE (order_id, product_id)
);
COMMENT ON TABLE order_items IS 'The line items of each order, one for each product. Never changed.';
COMMENT ON COLUMN order_items.line_number IS 'The position in the request, from 1.';
COMMENT ON COLUMN order_items.product_name IS 'A copy, like the price: later changes of the product change no order.';
COMMENT ON INDEX order_items_one_line_per_product IS 'Reads the line items of an order.';


-- Stock ledger --------------------------------------------------------------------------------------------------------

CREATE TABLE stock_movements (
    id          bigint GENERATED ALWAYS AS IDENTITY,
    product_id  uuid NOT NULL REFERENCES products (id),
    kind        stock_movement_kind NOT NULL,
    delta       bigint NOT NULL,
    order_id    uuid REFERENCES orders (id),
    reason      text,
    actor       text NOT NULL,
    request_id  text,
    occurred_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (product_id, id),
    CONSTRAINT stock_movements_once_per_order UNIQUE (order_id, product_id, kind),
    CONSTRAINT stock_movements_fit_together CHECK (is_stock_movement(kind, delta, order_id, reason))
);
COMMENT ON TABLE stock_movements IS
    'Every change of a product''s stock. The stock on hand is the sum of them. Append-only.';
COMMENT ON COLUMN stock_movements.id IS
    'Assigned while the product is locked, so a product''s movements have ascending IDs.';
COMMENT ON COLUMN stock_movements.order_id IS 'Only of a sale or a restock.';
COMMENT ON COLUMN stock_movements.reason IS 'Only of an adjustment.';
COMMENT ON COLUMN stock_movements.actor IS 'The subject of the caller''s token, or the part of the system.';
COMMENT ON COLUMN stock_movements.request_id IS 'The request''s ID in the log.';
COMMENT ON INDEX stock_movements_once_per_order IS
    'The last guard against returning stock twice. Also reads the movements of an order.';

CREATE TRIGGER stock_movements_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
    EXECUTE FUNCTION refuse_change();


-- Payment events ------------------------------------------------------------------------------------------------------

CREATE TABLE payment_events (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    scheme          text NOT NULL,
    provider        text NOT NULL,
    event_id        text NOT NULL,
    variant         integer NOT NULL DEFAULT 0,
    type            text,
    order_id        uuid,
    payment_status  payment_status,
    amount          numeric,
    currency        text,
    occurred_at     timestamptz,
    body            text NOT NULL,
    outcome         payment_event_outcome NOT NULL,
    reason          text,
    attempts        integer NOT NULL DEFAULT 1,
    received_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT payment_events_once_per_content UNIQUE (event_id, scheme, variant),
    CONSTRAINT payment_events_status CHECK (payment_status <> 'unpaid'),
    CONSTRAINT payment_events_reason CHECK ((outcome = 'applied') = (reason IS NULL)),
    CONSTRAINT payment_events_other_content CHECK (variant = 0 OR outcome = 'needs_review')
);
COMMENT ON TABLE payment_events IS
    'The inbox: each authentic event, once for each content that arrived under its ID, with its outcome.';
COMMENT ON COLUMN payment_events.scheme IS 'The signature scheme. Each scheme has its own event IDs.';
COMMENT ON COLUMN payment_events.provider IS 'The format of the body.';
COMMENT ON COLUMN payment_events.variant IS
    '0 for the first content under this ID. Any other content is stored, but never applied.';
COMMENT ON COLUMN payment_events.order_id IS 'As sent. Not a foreign key: the order may not exist.';
COMMENT ON COLUMN payment_events.payment_status IS 'What the event reports. NULL where it reports nothing.';
COMMENT ON COLUMN payment_events.amount IS 'In the main unit of the currency, with all digits that were sent.';
COMMENT ON COLUMN payment_events.body IS 'The signed text.';
COMMENT ON COLUMN payment_events.reason IS 'Why the event was not applied.';
COMMENT ON COLUMN payment_events.attempts IS 'The number of deliveries and replays.';

CREATE INDEX payment_events_by_received_at ON payment_events (received_at, id);
CREATE INDEX payment_events_by_order ON payment_events (order_id, received_at, id);
CREATE INDEX payment_events_by_outcome ON payment_events (outcome, received_at, id);
COMMENT ON INDEX payment_events_once_per_content IS
    'The second of two deliveries at once waits here for the first. Also list_payment_events, event_id.';
COMMENT ON INDEX payment_events_by_received_at IS 'list_payment_events';
COMMENT ON INDEX payment_events_by_order IS 'list_payment_events, order_id';
COMMENT ON INDEX payment_events_by_outcome IS 'list_payment_events, outcome; reconciliation';


-- Timeline ------------------------------------------------------------------------------------------------------------

CREATE TABLE order_events (
    id                      bigint GENERATED ALWAYS AS IDENTITY,
    order_id                uuid NOT NULL REFERENCES orders (id),
    cause                   order_event_cause NOT NULL,
    actor                   text NOT NULL,
    from_status             order_status,
    from_payment_status     payment_status,
    to_status               order_status NOT NULL,
    to_payment_status       payment_status NOT NULL,
    request_id              text,
    idempotency_key         text,
    payment_event_id        text,
    inbox_id                uuid REFERENCES payment_events (id),
    received_payment_status payment_status,
    outcome                 text,
    reason                  text,
    occurred_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (order_id, id),
    CONSTRAINT order_events_previous_state CHECK (
        (cause = 'placed') = (from_status IS NULL) AND (from_status IS NULL) = (from_payment_status IS NULL)),
    CONSTRAINT order_events_inbox_id CHECK (cause <> 'payment_event' OR inbox_id IS NOT NULL)
);
COMMENT ON TABLE order_events IS
    'The timeline of each order. Each event starts in the state in which the previous one ended. Append-only.';
COMMENT ON COLUMN order_events.id IS 'Assigned while the order is locked, so an order''s events have ascending IDs.';
COMMENT ON COLUMN order_events.actor IS 'The subject of the caller''s token, or the part of the system.';
COMMENT ON COLUMN order_events.request_id IS 'The request''s ID in the log.';
COMMENT ON COLUMN order_events.payment_event_id IS 'The event_id of a payment event.';
COMMENT ON COLUMN order_events.received_payment_status IS 'What a payment event reported.';
COMMENT ON COLUMN order_events.outcome IS
    'The outcome of a payment event. needs_refund also where a paid order was canceled.';

CREATE TRIGGER order_events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    EXECUTE FUNCTION refuse_change();


-- Idempotency keys ----------------------------------------------------------------------------------------------------

CREATE TABLE idempotency_keys (
    caller      text NOT NULL,
    operation   text NOT NULL,
    key         text NOT NULL,
    fingerprint text NOT NULL,
    body        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, operation, key)
);
COMMENT ON TABLE idempotency_keys IS
    'The first response to each request with an Idempotency-Key, committed together with its effect.';
COMMENT ON COLUMN idempotency_keys.operation IS 'The SQL function that returned the response.';
COMMENT ON COLUMN idempotency_keys.fingerprint IS 'The SHA-256 of the request''s content, in hex.';
COMMENT ON COLUMN idempotency_keys.body IS 'The response.';

CREATE INDEX idempotency_keys_by_created_at ON idempotency_keys (created_at);
COMMENT ON INDEX idempotency_keys_by_created_at IS 'sweep_idempotency_keys';


-- Reconciliation ------------------------------------------------------------------------------------------------------

CREATE VIEW reconciliation (kind, since, id, order_id, payment_event_id) AS
(SELECT 'paid_and_canceled', o.created_at, o.id, o.id, NULL::uuid
   FROM orders o WHERE o.status = 'canceled' AND o.payment_status = 'paid'
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'completed_and_unpaid', o.created_at, o.id, o.id, NULL
   FROM orders o WHERE o.status = 'completed' AND o.payment_status <> 'paid'
  ORDER BY o.created_at, o.id)
UNION ALL
-- The reader decides how long is too long.
(SELECT 'pending_too_long', o.created_at, o.id, o.id, NULL
   FROM orders o WHERE o.status = 'pending'
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'paid_and_canceled', e.received_at, e.id, e.order_id, e.id
   FROM payment_events e WHERE e.outcome = 'needs_refund'
  ORDER BY e.received_at, e.id)
UNION ALL
(SELECT CASE e.reason WHEN 'other_content' THEN 'conflicting_event'
                      WHEN 'order_completed' THEN 'paid_after_completion'
                      ELSE 'amount_mismatch' END, e.received_at, e.id, e.order_id, e.id
   FROM payment_events e WHERE e.outcome = 'needs_review'
  ORDER BY e.received_at, e.id)
UNION ALL
(SELECT 'event_without_order', e.received_at, e.id, e.order_id, e.id
   FROM payment_events e WHERE e.outcome = 'unknown_order'
  ORDER BY e.received_at, e.id);
COMMENT ON VIEW reconciliation IS
'Money without goods, and goods without money: where each case is visible, and since when.
Each part has the list''s sort order and an index for it. A page merges the parts and reads none of them to the end.';


-- Migrations, by storefront/migrate.py, which creates the table -------------------------------------------------------

COMMENT ON TABLE schema_history IS 'The SQL files applied to this database: each migration and each SQL function.';
COMMENT ON COLUMN schema_history.checksum IS 'The SHA-256 of the file, in hex.';
