-- The timeline of orders, the ledger of the stock, and the keys that make a request safe to send again.

-- Nothing may be written between the copying below and the functions that write to the new tables.
LOCK TABLE products, orders, order_items IN ACCESS EXCLUSIVE MODE;

-- Who a request says it is from. The release before this one did not say.
CREATE FUNCTION actor_of(request jsonb) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(request ->> 'actor', 'unknown');

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op;
END
$$;

CREATE TYPE order_event_cause AS ENUM (
    'placed',         -- the order's first event
    'status_change',  -- somebody completed or canceled it
    'payment_event',  -- a processor reported a payment; outcome says what it did
    'expiry',         -- it stayed unpaid for too long
    'import'          -- it had that state when this table was made
);

-- What happened to an order, and who or what did it. The states chain: each event starts where the one before ended.
CREATE TABLE order_events (
    -- Handed out under the order's lock, so that the ids of one order are in the order of its events.
    id                      bigint GENERATED ALWAYS AS IDENTITY,
    order_id                uuid NOT NULL REFERENCES orders (id),
    cause                   order_event_cause NOT NULL,
    -- The subject of the caller's token, or which part of the system it was.
    actor                   text NOT NULL,
    from_status             order_status,
    from_payment_status     payment_status,
    to_status               order_status NOT NULL,
    to_payment_status       payment_status NOT NULL,
    -- The id under which our log has the request.
    request_id              text,
    idempotency_key         text,
    -- Of a payment event: its id, what it said, and what came of it. A canceled order that was paid has an outcome too.
    payment_event_id        text,
    received_payment_status payment_status,
    outcome                 text,
    occurred_at             timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (order_id, id),
    CONSTRAINT order_events_only_the_first_comes_from_nothing CHECK (
        (cause = 'placed') = (from_status IS NULL) AND (from_status IS NULL) = (from_payment_status IS NULL))
);

CREATE TRIGGER order_events_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON order_events
    EXECUTE FUNCTION refuse_change();

CREATE TYPE stock_movement_kind AS ENUM (
    'opening',    -- the stock that a product was created with
    'sale',       -- an order took it
    'restock',    -- an order was canceled and gave it back
    'adjustment'  -- somebody counted, received or wrote off; or set the quantity
);

-- Every change of a product's stock; the stock on hand is their sum.
CREATE TABLE stock_movements (
    -- Handed out under the product's lock, as above.
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
    -- The last line of defence against giving stock back twice; also the way from an order to its movements.
    CONSTRAINT stock_movements_once_per_order UNIQUE (order_id, product_id, kind),
    CONSTRAINT stock_movements_delta CHECK (CASE kind
        WHEN 'opening' THEN delta >= 0 WHEN 'sale' THEN delta < 0 WHEN 'restock' THEN delta > 0 ELSE delta <> 0 END),
    CONSTRAINT stock_movements_order CHECK ((kind IN ('sale', 'restock')) = (order_id IS NOT NULL)),
    CONSTRAINT stock_movements_reason CHECK ((kind = 'adjustment') = (reason IS NOT NULL))
);

CREATE TRIGGER stock_movements_are_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_movements
    EXECUTE FUNCTION refuse_change();

-- How long a key keeps its answer.
CREATE FUNCTION idempotency_key_lifetime() RETURNS interval
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN interval '72 hours';

-- The first answer to each request that came with an Idempotency-Key, stored with what the request did.
CREATE TABLE idempotency_keys (
    caller      text NOT NULL,
    -- The SQL function that answered.
    operation   text NOT NULL,
    key         text NOT NULL,
    -- SHA-256 of the request's content, in hex.
    fingerprint text NOT NULL,
    body        text NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (caller, operation, key)
);

CREATE INDEX idempotency_keys_by_created_at ON idempotency_keys (created_at);

-- What was there before the ledger, as if it had always been.
INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status, occurred_at)
SELECT id, 'placed', 'import', 'pending', 'unpaid', created_at FROM orders ORDER BY created_at, id;

INSERT INTO order_events
    (order_id, cause, actor, from_status, from_payment_status, to_status, to_payment_status, outcome, occurred_at)
SELECT id, 'import', 'import', 'pending', 'unpaid', status, payment_status,
       CASE WHEN status = 'canceled' AND payment_status = 'paid' THEN 'needs_refund' END, updated_at
  FROM orders
 WHERE (status, payment_status) <> ('pending', 'unpaid')
 ORDER BY updated_at, id;

INSERT INTO stock_movements (product_id, kind, delta, actor, occurred_at)
SELECT p.id, 'opening', p.quantity + coalesce(sum(item.quantity) FILTER (WHERE o.status <> 'canceled'), 0),
       'import', p.created_at
  FROM products p
  LEFT JOIN order_items item ON item.product_id = p.id
  LEFT JOIN orders o ON o.id = item.order_id
 GROUP BY p.id
 ORDER BY p.created_at, p.id;

INSERT INTO stock_movements (product_id, kind, delta, order_id, actor, occurred_at)
SELECT item.product_id, 'sale', -item.quantity, o.id, 'import', o.created_at
  FROM order_items item
  JOIN orders o ON o.id = item.order_id
 ORDER BY o.created_at, o.id;

INSERT INTO stock_movements (product_id, kind, delta, order_id, actor, occurred_at)
SELECT item.product_id, 'restock', item.quantity, o.id, 'import', o.updated_at
  FROM order_items item
  JOIN orders o ON o.id = item.order_id
 WHERE o.status = 'canceled'
 ORDER BY o.updated_at, o.id;
