-- What a shop needs on an order and on a product: charges, contact details, numbers, references and SKUs.
-- Each new column can be NULL or has a default, because the previous release inserts rows without values for them.


-- Types ---------------------------------------------------------------------------------------------------------------

-- The domains get their checks at the end. Otherwise, a new column of such a domain would rewrite its table.
CREATE DOMAIN code AS text;
COMMENT ON DOMAIN code IS 'A short name that the shop gives: a SKU or a reference.';

CREATE DOMAIN email_address AS text;
COMMENT ON DOMAIN email_address IS 'At most 254 octets (RFC 5321, section 4.5.3.1.3: a path of 256 with its brackets).';

CREATE DOMAIN note AS text;

CREATE DOMAIN currency_code AS text;
COMMENT ON DOMAIN currency_code IS 'ISO 4217.';

CREATE DOMAIN json_map AS jsonb;

CREATE FUNCTION map_json(map jsonb) RETURNS json
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN (SELECT json_object(array_agg(key), array_agg(value)) FROM jsonb_each_text(map));
END
$$;
COMMENT ON FUNCTION map_json IS 'An object of texts and nulls, with the spaces that JSON has in responses.';

CREATE FUNCTION is_charges(charges jsonb) RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN jsonb_typeof(charges) = 'array' AND jsonb_array_length(charges) BETWEEN 1 AND 20 AND (
        SELECT bool_and(coalesce(charge.label <> '' AND scale(charge.amount) = 2 AND CASE charge.kind
                   WHEN 'discount' THEN charge.amount <= 0
                   WHEN 'shipping' THEN charge.amount >= 0
                   WHEN 'tax' THEN charge.amount >= 0
                   WHEN 'fee' THEN charge.amount >= 0 END, false))
          FROM (SELECT element ->> 'kind' AS kind, (element ->> 'amount')::numeric AS amount,
                       element ->> 'label' AS label
                  FROM jsonb_array_elements(charges) AS listed(element)) charge);
END
$$;
COMMENT ON FUNCTION is_charges IS 'Whether a value is a list of charges, with two decimal places and the right signs.';

CREATE DOMAIN charges AS jsonb;
COMMENT ON DOMAIN charges IS
'[{"kind": "shipping" | "tax" | "discount" | "fee", "label": …, "amount": "4.90"}, …], in the order of the request.
A discount is at most 0, any other charge at least 0.';

-- Without digits behind the point, as in numeric(10, 2), PostgreSQL would rewrite the table. NOT VALID, because each
-- existing total was more than 0, which is checked already.
CREATE DOMAIN order_total AS numeric;
ALTER TABLE orders ALTER COLUMN total_price TYPE order_total;
ALTER DOMAIN order_total ADD CONSTRAINT order_total_range
    CHECK (VALUE BETWEEN 0 AND 99999999.99 AND scale(VALUE) = 2) NOT VALID;

-- PostgreSQL cannot use the new values in the transaction that adds them.
ALTER TYPE order_event_cause ADD VALUE 'note';
ALTER TYPE order_event_cause ADD VALUE 'erasure';
COMMENT ON TYPE order_event_cause IS
'placed: always the first event of an order
status_change: a caller completed or canceled the order
payment_event: a processor reported a payment; the outcome says what it changed
replay: a caller processed a stored payment event again
expiry: the order was not paid in time
note: staff wrote a note
erasure: the customer''s personal data was erased';


-- Products ------------------------------------------------------------------------------------------------------------

ALTER TABLE products
    ADD COLUMN sku code,
    ADD COLUMN metadata json_map;
COMMENT ON COLUMN products.sku IS 'The shop''s own ID of the product, as sent.';
COMMENT ON COLUMN products.metadata IS 'The shop''s own values. NULL if there are none.';

-- PostgreSQL reads the expression of a generated column for each sale, although a sale changes no name.
CREATE FUNCTION fold_name() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    NEW.folded_name := left(public.fold(NEW.name), 255);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION fold_name IS 'The trigger that keeps products.folded_name.';
ALTER TABLE products ALTER COLUMN folded_name DROP EXPRESSION;
CREATE TRIGGER products_fold_name BEFORE INSERT OR UPDATE OF name ON products
    FOR EACH ROW EXECUTE FUNCTION fold_name();
-- Also where triggers are off, as while data is copied.
ALTER TABLE products ENABLE ALWAYS TRIGGER products_fold_name;


-- Orders --------------------------------------------------------------------------------------------------------------

CREATE SEQUENCE order_numbers AS integer START WITH 1001;
COMMENT ON SEQUENCE order_numbers IS 'The numbers of orders. An order that is refused can leave a gap.';

-- With the rights of the owner, because the grants of the previous release revoke all rights on sequences. PostgreSQL
-- parses a body in the form of the SQL standard once, here, so no search_path can change what it calls.
CREATE FUNCTION next_order_number() RETURNS integer LANGUAGE sql SECURITY DEFINER
    RETURN nextval('order_numbers'::regclass)::integer;
COMMENT ON FUNCTION next_order_number IS 'The default of orders.number, also for orders that the previous release places.';

ALTER TABLE orders
    ADD COLUMN number integer,
    ADD COLUMN reference code,
    ADD COLUMN email email_address,
    ADD COLUMN shipping_address json_map,
    ADD COLUMN billing_address json_map,
    ADD COLUMN charges charges,
    ADD COLUMN note note,
    ADD COLUMN metadata json_map,
    -- The default is immutable, so existing orders get it without a rewrite.
    ADD COLUMN currency currency_code DEFAULT default_currency() NOT NULL,
    ADD COLUMN expires_at timestamptz,
    ADD COLUMN personal_data_erased_at timestamptz;
-- Existing orders get the numbers below, in a later step, which remembers here how far it is.
SELECT setval('order_numbers', 1000 + count(*)) FROM orders HAVING count(*) > 0;
ALTER TABLE orders
    ALTER COLUMN number SET DEFAULT next_order_number(),
    ALTER COLUMN expires_at SET DEFAULT default_expiry(clock_timestamp());
CREATE TABLE order_numbering (created_at, id, number) AS
    VALUES (timestamptz '-infinity', uuid '00000000-0000-0000-0000-000000000000', 1000);
COMMENT ON COLUMN orders.number IS 'The number for people. It gives no access.';
COMMENT ON COLUMN orders.reference IS 'The shop''s own number of the order, as sent.';
COMMENT ON COLUMN orders.email IS 'As sent.';
COMMENT ON COLUMN orders.charges IS 'Never changed. NULL if there are none.';
COMMENT ON COLUMN orders.note IS 'The customer''s own note.';
COMMENT ON COLUMN orders.metadata IS 'The values of the shop''s systems. NULL if there are none.';
COMMENT ON COLUMN orders.total_price IS 'The sum of the line items and the charges.';
COMMENT ON COLUMN orders.currency IS 'The shop''s currency when the order was placed.';
COMMENT ON COLUMN orders.expires_at IS 'When the order is canceled, unless it is paid or held. infinity means never.';
COMMENT ON COLUMN orders.personal_data_erased_at IS
    'When the customer''s personal data was erased. Payment events that arrive later are stored without their body.';

ALTER TABLE order_items ADD COLUMN sku code;
COMMENT ON COLUMN order_items.sku IS 'A copy, like the name.';

ALTER TABLE order_events ADD COLUMN note note;
COMMENT ON COLUMN order_events.note IS 'The text of a note. NULL after it was erased.';
COMMENT ON TABLE order_events IS
'The timeline of each order. Each event starts in the state in which the previous one ended. Append-only, except that
the text of a note can be erased.';

CREATE FUNCTION refuse_change_except_erasure() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.note IS NOT NULL THEN
        OLD.note := NULL;
        -- *= compares the stored bytes.
        IF OLD *= NEW THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', tg_table_name, tg_op;
END
$$;
COMMENT ON FUNCTION refuse_change_except_erasure IS 'The trigger that lets the text of a note become NULL, and nothing else.';

DROP TRIGGER order_events_are_append_only ON order_events;
CREATE TRIGGER order_events_are_append_only BEFORE DELETE OR TRUNCATE ON order_events
    EXECUTE FUNCTION refuse_change();
CREATE TRIGGER order_events_change_only_by_erasure BEFORE UPDATE ON order_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change_except_erasure();

-- PostgreSQL reads and plans the check of a table again for each statement that writes. These two took 3 % of the
-- instructions of an order, and the audit has the same rules.
ALTER TABLE order_events
    DROP CONSTRAINT order_events_previous_state,
    DROP CONSTRAINT order_events_inbox_id;


-- Stock ledger --------------------------------------------------------------------------------------------------------

ALTER TABLE stock_movements ADD COLUMN quantity integer;
COMMENT ON COLUMN stock_movements.quantity IS
    'The stock after the movement. NULL in movements of releases that did not store it.';


-- Payment events ------------------------------------------------------------------------------------------------------

ALTER TABLE payment_events
    ALTER COLUMN body DROP NOT NULL,
    ADD COLUMN object_reference text;
COMMENT ON COLUMN payment_events.body IS 'The signed text. NULL after it was erased.';
COMMENT ON COLUMN payment_events.object_reference IS
    'The processor''s ID of the object that the event is about, such as a session or a payment. NULL if unknown.';

-- Used by the next migrations, and dropped by the last of them.
CREATE FUNCTION stored_reference(reference jsonb) RETURNS text
    LANGUAGE plpgsql IMMUTABLE STRICT AS $$
DECLARE
    id text := btrim(CASE jsonb_typeof(reference)
        WHEN 'object' THEN reference ->> 'id'
        WHEN 'string' THEN reference #>> '{}'
        WHEN 'number' THEN reference #>> '{}' END, E' \t\n\r\f\v');
BEGIN
    RETURN CASE WHEN char_length(id) BETWEEN 1 AND 255 AND strpos(id, U&'\FFFD') = 0 THEN id END;
END
$$;
COMMENT ON FUNCTION stored_reference IS 'The ID of an object of Stripe that is either named or contained.';

CREATE FUNCTION stored_references(type text, body text, OUT payment_reference text, OUT object_reference text)
    -- CREATE INDEX has a search_path of its own.
    LANGUAGE plpgsql IMMUTABLE SET search_path FROM CURRENT AS $$
DECLARE
    about jsonb;
BEGIN
    -- jsonb has no NUL and no half of a surrogate pair, but a description can have them. They become U+FFFD. Before the
    -- escape, there are only pairs of backslashes, which are escapes of their own.
    about := regexp_replace(body, '(?<!\\)((?:\\\\)*)\\u(0000|d[89a-f][0-9a-f]{2})', '\1\\ufffd', 'gi')::jsonb
             #> '{data,object}';
    object_reference := stored_reference(about -> 'id');
    payment_reference := coalesce(
        stored_reference(about -> 'payment_intent'),
        stored_reference(about -> CASE WHEN type ~ '^(payment_intent|checkout\.session)\.' THEN 'id' ELSE 'charge' END));
EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
    -- The body is not JSON, is base64, is nested too deep, or has characters that jsonb cannot store.
    NULL;
END
$$;
COMMENT ON FUNCTION stored_references IS 'What payments/stripe.py reads from the body of an event.';


-- Statistics of the planner -------------------------------------------------------------------------------------------

-- ANALYZE stores examples of the values of a column. They would survive an erasure until the next ANALYZE.
ALTER TABLE orders
    ALTER COLUMN email SET STATISTICS 0,
    ALTER COLUMN shipping_address SET STATISTICS 0,
    ALTER COLUMN billing_address SET STATISTICS 0,
    ALTER COLUMN note SET STATISTICS 0,
    ALTER COLUMN metadata SET STATISTICS 0;
ALTER TABLE order_events ALTER COLUMN note SET STATISTICS 0;
-- The same type again removes the existing examples, and rewrites nothing.
ALTER TABLE payment_events ALTER COLUMN body TYPE text, ALTER COLUMN body SET STATISTICS 0;
ALTER TABLE idempotency_keys ALTER COLUMN body TYPE text, ALTER COLUMN body SET STATISTICS 0;


-- Reconciliation ------------------------------------------------------------------------------------------------------

-- A canceled order with a total of 0 needs no refund.
CREATE OR REPLACE VIEW reconciliation (kind, since, id, order_id, payment_event_id) AS
(SELECT 'paid_and_canceled', o.created_at, o.id, o.id, NULL::uuid
   FROM orders o WHERE o.status = 'canceled' AND o.payment_status = 'paid' AND o.total_price > 0
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'completed_and_unpaid', o.created_at, o.id, o.id, NULL
   FROM orders o WHERE o.status = 'completed' AND o.payment_status <> 'paid'
  ORDER BY o.created_at, o.id)
UNION ALL
-- The reader decides how long is too long. A held order is listed once, as held_too_long.
(SELECT 'pending_too_long', o.created_at, o.id, o.id, NULL
   FROM orders o WHERE o.status = 'pending' AND (o.held_since IS NULL OR o.payment_status = 'paid')
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'held_too_long', o.held_since, o.id, o.id, NULL
   FROM orders o WHERE o.held_since IS NOT NULL AND o.status = 'pending' AND o.payment_status <> 'paid'
  ORDER BY o.held_since, o.id)
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
   FROM payment_events e WHERE e.outcome = 'unknown_order' AND e.payment_status = 'paid'
  ORDER BY e.received_at, e.id)
UNION ALL
-- Stripe reports most payments with two events, and often only one of them names the order.
(SELECT 'event_without_order', e.received_at, e.id, e.order_id, e.id
   FROM payment_events e
  WHERE e.payment_status = 'paid' AND e.reason = 'no_order_named'
    AND NOT EXISTS (SELECT FROM payment_events named
                     WHERE named.payment_reference = e.payment_reference
                       AND named.payment_status = 'paid' AND named.order_id IS NOT NULL)
  ORDER BY e.received_at, e.id)
UNION ALL
-- Several unreadable bodies can have one ID. A later delivery that could be read settles all of them.
(SELECT 'unreadable_event', e.received_at, e.id, e.order_id, e.id
   FROM payment_events e
  WHERE e.error IS NOT NULL
    AND NOT EXISTS (SELECT FROM payment_events later
                     WHERE later.event_id = e.event_id AND later.scheme = e.scheme AND later.error IS NULL
                       AND later.last_attempt_at > e.last_attempt_at
                       AND (e.order_id IS NULL OR later.order_id = e.order_id))
  ORDER BY e.received_at, e.id);


-- Checks of the domains -----------------------------------------------------------------------------------------------

-- NOT VALID, because each existing value is NULL, or the currency of the settings.
ALTER DOMAIN code ADD CONSTRAINT code_length CHECK (char_length(VALUE) BETWEEN 1 AND 64) NOT VALID;
ALTER DOMAIN email_address ADD CONSTRAINT email_address_length CHECK (octet_length(VALUE) BETWEEN 3 AND 254) NOT VALID;
ALTER DOMAIN note ADD CONSTRAINT note_length CHECK (char_length(VALUE) BETWEEN 1 AND 1000) NOT VALID;
ALTER DOMAIN currency_code ADD CONSTRAINT currency_code_form CHECK (VALUE ~ '^[A-Z]{3}$') NOT VALID;
ALTER DOMAIN json_map ADD CONSTRAINT json_map_type CHECK (jsonb_typeof(VALUE) = 'object') NOT VALID;
ALTER DOMAIN charges ADD CONSTRAINT charges_form CHECK (is_charges(VALUE)) NOT VALID;
