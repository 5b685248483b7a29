-- Places an order and takes its stock, with the first event of its timeline: all of it or nothing.
-- Outcomes: placed; order_limit and customer_limit, as in exceeded_limit; unknown_products, insufficient_stock,
-- reference_taken, with the ID of its order if the same caller placed it; total_too_large,
-- total_too_small and total_changed. All of these have the details. busy: too many orders wait for a product, so the order
-- found none of the queue_slots, or waited for two seconds.
-- force_generic_plan saves a third of the time. Without it, PostgreSQL plans some statements again for each call,
-- because it expects orders of one line item to be much cheaper.
CREATE OR REPLACE FUNCTION place_order(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    -- Arrays: the planner expects 10 rows from an array, but 100 from JSON, and for 100 it would read all of a small
    -- products table. Made from text, because an expression costs a tenth of a query.
    ids        uuid[] := translate(jsonb_path_query_array(request, '$.products[*].product_id')::text, '[]"', '{}');
    quantities bigint[] := translate(jsonb_path_query_array(request, '$.products[*].quantity')::text, '[]', '{}');
    optional     orders;
    in_stock     uuid[];
    product_id   uuid;
    caller       text := request ->> 'actor';
    request_id   text := request ->> 'request_id';
    total        numeric;
    moment       timestamptz;
    placed       orders;
BEGIN
    -- An order without optional fields pays for this test only.
    IF request ?| ARRAY['reference', 'email', 'shipping_address', 'billing_address', 'charges', 'note', 'metadata'] THEN
        optional := jsonb_populate_record(optional, request);
        IF optional.reference IS NOT NULL THEN
            -- The second of two orders with one reference waits here. An order without one does not pay for this check, as
            -- it would with ON CONFLICT.
            PERFORM pg_advisory_xact_lock(hashtextextended('reference ' || optional.reference, 0));
            -- Before the stock: the first order may have taken the last unit.
            SELECT 'reference_taken', CASE WHEN e.actor = caller THEN to_json(o.id)::text ELSE 'null' END
              INTO outcome, body
              FROM orders o
              JOIN order_events e ON e.order_id = o.id AND e.cause = 'placed'
             WHERE o.reference = optional.reference;
            IF FOUND THEN
                RETURN;
            END IF;
        END IF;
    END IF;

    -- An order for a product that is sold out is refused without a lock of the product.
    in_stock := ARRAY(SELECT p.id
                        FROM products p
                       WHERE p.id = ANY (ids) AND p.deleted_at IS NULL AND p.quantity > 0
                       ORDER BY p.id);
    IF cardinality(in_stock) = cardinality(ids) THEN
        IF request ? 'limits' THEN
            SELECT exceeded.outcome, exceeded.body INTO outcome, body FROM exceeded_limit(request, quantities) exceeded;
            IF outcome IS NOT NULL THEN
                RETURN;
            END IF;
        END IF;
        -- In the order of IDs, so that two orders for the same products never deadlock.
        FOREACH product_id IN ARRAY in_stock LOOP
            IF NOT pg_try_advisory_xact_lock(queue_of(product_id)) THEN
                IF request ->> 'queue_slots' IS NULL THEN
                    -- An order of the previous release, which does not know the outcome busy.
                    PERFORM enter_queues(ARRAY[product_id]);
                -- CASE, because OR may wait first.
                ELSIF NOT (CASE WHEN take_slot(product_id, (request ->> 'queue_slots')::integer)
                                THEN enter_queue_in_time(product_id) ELSE false END) THEN
                    outcome := 'busy';
                    RETURN;
                END IF;
            END IF;
        END LOOP;
        -- Also in the order of IDs. NO KEY, so that foreign key checks do not wait. A row that was locked by another session
        -- is read again after the wait.
        SELECT sum(p.price * p.wanted) INTO total
          FROM (SELECT p.price, p.quantity, quantities[array_position(ids, p.id)] AS wanted
                  FROM products p
                 WHERE p.id = ANY (ids) AND p.deleted_at IS NULL
                 ORDER BY p.id
                   FOR NO KEY UPDATE) p
        HAVING count(*) FILTER (WHERE p.quantity >= p.wanted) = cardinality(ids);
    END IF;

    IF total IS NULL THEN
        SELECT refused.outcome, refused.body INTO outcome, body
          FROM reason_of_refusal(ids, quantities, in_stock) refused;
        RETURN;
    END IF;
    IF optional.charges IS NOT NULL THEN
        total := total + charges_total(optional.charges);
    END IF;
    outcome := CASE WHEN total < 0 THEN 'total_too_small'
                    WHEN total > 99999999.99 THEN 'total_too_large'
                    -- Last, so that a buyer who accepts the new total can place the order.
                    WHEN total <> (request ->> 'expected_total')::numeric THEN 'total_changed' END;
    IF outcome IS NOT NULL THEN
        body := to_json(total::text);
        RETURN;
    END IF;

    -- After the locks. An order that waited for them is later than the orders that it waited for.
    moment := clock_timestamp();
    INSERT INTO orders (customer_id, payment_status, total_price, currency, charges, reference, email, shipping_address,
                        billing_address, note, metadata, number, created_at, updated_at, expires_at)
    VALUES ((request ->> 'customer_id')::integer,
            -- There is nothing to pay.
            CASE WHEN total = 0 THEN 'paid' ELSE 'unpaid' END::payment_status,
            total, coalesce(request ->> 'currency', default_currency()), optional.charges, optional.reference,
            optional.email, optional.shipping_address, optional.billing_address, optional.note, optional.metadata,
            -- The default calls a function, which costs 1 % of an order.
            nextval('order_numbers'), moment, moment,
            coalesce(moment + make_interval(mins => nullif((request ->> 'time_to_live')::integer, 0)),
                     CASE WHEN request ->> 'time_to_live' IS NULL THEN default_expiry(moment) ELSE 'infinity' END))
    RETURNING * INTO placed;

    WITH sold AS (
        UPDATE products p
           SET quantity = p.quantity - l.quantity, updated_at = clock_timestamp()
          FROM unnest(ids, quantities) WITH ORDINALITY AS l(product_id, quantity, line_number)
         WHERE p.id = l.product_id
        RETURNING p.id, p.sku, p.name, p.price, p.quantity AS remaining, l.quantity, l.line_number
    ), moved AS (
        INSERT INTO stock_movements (product_id, kind, delta, quantity, order_id, actor, request_id)
        SELECT id, 'sale', -quantity, remaining, placed.id, caller, request_id
          FROM sold
    ), logged AS (
        INSERT INTO order_events (order_id, cause, actor, party, to_status, to_payment_status, request_id, idempotency_key)
        VALUES (placed.id, 'placed', caller, (request ->> 'party')::party,
                placed.status, placed.payment_status, request_id, request ->> 'idempotency_key')
    )
    INSERT INTO order_items (order_id, product_id, line_number, sku, product_name, quantity, price_at_purchase)
    SELECT placed.id, id, line_number, sku, name, quantity, price
      FROM sold;

    outcome := 'placed';
    body := order_json(placed);
END
$$;
