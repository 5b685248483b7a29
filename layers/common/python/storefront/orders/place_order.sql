-- Takes the stock and stores the order, its first event and the movements of the stock: all of it, or nothing.
-- Outcomes: placed; unknown_products, insufficient_stock, total_too_large, each with what is wrong.
CREATE OR REPLACE FUNCTION place_order(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    lines  jsonb := request -> 'products';
    unknown json;
    short   json;
    total   numeric;
    placed  orders;
BEGIN
    -- Locked in the order of ids, whatever the order of the lines: two orders for the same products
    -- then never deadlock. NO KEY, so that no foreign key check has to wait.
    PERFORM FROM products p
      WHERE p.id IN (SELECT l.product_id FROM jsonb_to_recordset(lines) AS l(product_id uuid))
        AND p.deleted_at IS NULL
      ORDER BY p.id
        FOR NO KEY UPDATE;

    -- A statement of its own, after the locks: it sees what those it waited for have left.
    SELECT json_agg(l.product_id) FILTER (WHERE p.id IS NULL),
           json_agg(json_build_object('product_id', p.id, 'product_name', p.name,
                                      'requested', l.quantity, 'available', p.quantity))
               FILTER (WHERE p.quantity < l.quantity),
           sum(p.price * l.quantity)
      INTO unknown, short, total
      FROM jsonb_to_recordset(lines) AS l(product_id uuid, quantity bigint)
      LEFT JOIN products p ON p.id = l.product_id AND p.deleted_at IS NULL;

    IF unknown IS NOT NULL THEN
        outcome := 'unknown_products';
        body := unknown;
        RETURN;
    END IF;
    IF short IS NOT NULL THEN
        outcome := 'insufficient_stock';
        body := short;
        RETURN;
    END IF;
    IF total > 99999999.99 THEN
        outcome := 'total_too_large';
        body := to_json(total::text);
        RETURN;
    END IF;

    UPDATE products p
       SET quantity = p.quantity - l.quantity, updated_at = clock_timestamp()
      FROM jsonb_to_recordset(lines) AS l(product_id uuid, quantity integer)
     WHERE p.id = l.product_id;

    INSERT INTO orders (customer_id, total_price)
    VALUES ((request ->> 'customer_id')::integer, total)
    RETURNING * INTO placed;

    INSERT INTO order_items (order_id, product_id, line_number, product_name, quantity, price_at_purchase)
    SELECT placed.id, p.id, l.line_number, p.name, l.quantity, p.price
      FROM ROWS FROM (jsonb_to_recordset(lines) AS (product_id uuid, quantity integer))
           WITH ORDINALITY AS l(product_id, quantity, line_number)
      JOIN products p ON p.id = l.product_id;

    INSERT INTO stock_movements (product_id, kind, delta, order_id, actor, request_id)
    SELECT l.product_id, 'sale', -l.quantity, placed.id, actor_of(request), request ->> 'request_id'
      FROM jsonb_to_recordset(lines) AS l(product_id uuid, quantity integer);

    INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status, request_id, idempotency_key)
    VALUES (placed.id, 'placed', actor_of(request), placed.status, placed.payment_status,
            request ->> 'request_id', request ->> 'idempotency_key');

    outcome := 'placed';
    body := order_json(placed);
END
$$;
