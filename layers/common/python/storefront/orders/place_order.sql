-- Places an order and takes its stock, with the first event of its timeline: all of it or nothing.
-- Outcomes: placed; order_limit and customer_limit, as in exceeded_limit; unknown_products, insufficient_stock,
-- reference_taken, with the ID of its order if the same caller placed it; total_too_large,
-- total_too_small and total_changed. All others have the details.
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
    is_available boolean;
    unknown      json;
    short        json;
    total        numeric;
    moment       timestamptz;
    placed       orders;
BEGIN
    IF request ? 'limits' THEN
        SELECT exceeded.outcome, exceeded.body INTO outcome, body FROM exceeded_limit(request, quantities) exceeded;
        IF outcome IS NOT NULL THEN
            RETURN;
        END IF;
    END IF;
    -- An order without optional fields pays for this test only.
    IF request ?| ARRAY['reference', 'email', 'shipping_address', 'billing_address', 'charges', 'note', 'metadata'] THEN
        optional := jsonb_populate_record(optional, request);
    END IF;
    IF optional.reference IS NOT NULL THEN
        -- The second of two orders with one reference waits here. An order without one does not pay for this check, as
        -- it would with ON CONFLICT.
        PERFORM pg_advisory_xact_lock(hashtextextended('reference ' || optional.reference, 0));
        -- Before the stock: the first order may have taken the last unit.
        SELECT 'reference_taken', CASE WHEN e.actor = request ->> 'actor' THEN to_json(o.id)::text ELSE 'null' END
          INTO outcome, body
          FROM orders o
          JOIN order_events e ON e.order_id = o.id AND e.cause = 'placed'
         WHERE o.reference = optional.reference;
        IF FOUND THEN
            RETURN;
        END IF;
    END IF;

    -- Locks are taken in the order of IDs, so that two orders for the same products never deadlock. NO KEY, so that
    -- foreign key checks do not wait. A row that was locked by another order is read again after the wait.
    SELECT sum(p.price * quantities[array_position(ids, p.id)]),
           count(*) = cardinality(ids) AND bool_and(p.quantity >= quantities[array_position(ids, p.id)])
      INTO total, is_available
      FROM (SELECT p.id, p.price, p.quantity
              FROM products p
             WHERE p.id = ANY (ids)
               AND p.deleted_at IS NULL
             ORDER BY p.id
               FOR NO KEY UPDATE) p;

    IF is_available IS NOT TRUE THEN
        SELECT json_agg(l.product_id) FILTER (WHERE p.id IS NULL),
               json_agg(json_build_object('product_id', p.id, 'product_name', p.name,
                                          'requested', l.quantity, 'available', p.quantity))
                   FILTER (WHERE p.quantity < l.quantity)
          INTO unknown, short
          FROM unnest(ids, quantities) AS l(product_id, quantity)
          LEFT JOIN products p ON p.id = l.product_id AND p.deleted_at IS NULL;
        outcome := CASE WHEN unknown IS NULL THEN 'insufficient_stock' ELSE 'unknown_products' END;
        body := coalesce(unknown, short);
        RETURN;
    END IF;
    IF optional.charges IS NOT NULL THEN
        total := total + charges_total(optional.charges);
    END IF;
    IF total < 0 THEN
        outcome := 'total_too_small';
        body := to_json(total::text);
        RETURN;
    END IF;
    IF total > 99999999.99 THEN
        outcome := 'total_too_large';
        body := to_json(total::text);
        RETURN;
    END IF;
    -- Last, so that a buyer who accepts the new total can place the order.
    IF total <> (request ->> 'expected_total')::numeric THEN
        outcome := 'total_changed';
        body := to_json(total::text);
        RETURN;
    END IF;

    -- After the locks. An order that waited for them is later than the orders that it waited for.
    moment := clock_timestamp();
    INSERT INTO orders (customer_id, payment_status, total_price, currency, charges, reference, email, shipping_address,
                        billing_address, note, metadata, created_at, updated_at, expires_at)
    VALUES ((request ->> 'customer_id')::integer,
            -- There is nothing to pay.
            CASE WHEN total = 0 THEN 'paid' ELSE 'unpaid' END::payment_status,
            total, coalesce(request ->> 'currency', default_currency()), optional.charges, optional.reference,
            optional.email, optional.shipping_address, optional.billing_address, optional.note, optional.metadata,
            moment, moment,
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
        SELECT id, 'sale', -quantity, remaining, placed.id, request ->> 'actor', request ->> 'request_id'
          FROM sold
    ), logged AS (
        INSERT INTO order_events (order_id, cause, actor, party, to_status, to_payment_status, request_id, idempotency_key)
        VALUES (placed.id, 'placed', request ->> 'actor', (request ->> 'party')::party,
                placed.status, placed.payment_status, request ->> 'request_id', request ->> 'idempotency_key')
    )
    INSERT INTO order_items (order_id, product_id, line_number, sku, product_name, quantity, price_at_purchase)
    SELECT placed.id, id, line_number, sku, name, quantity, price
      FROM sold;

    outcome := 'placed';
    body := order_json(placed);
END
$$;
