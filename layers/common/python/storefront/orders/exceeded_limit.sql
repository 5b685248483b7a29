-- Returns the first limit of a customer that a new order exceeds, with its maximum. quantities: of each product.
-- Outcomes: NULL if the order exceeds none; order_limit, if the order is too large at any time; customer_limit, if the
-- customer has too much on order, with retry_after: the seconds until one of the orders expires.
CREATE OR REPLACE FUNCTION exceeded_limit(request jsonb, quantities bigint[], OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    limits    jsonb := request -> 'limits';
    customer  integer := request ->> 'customer_id';
    units     numeric := 0;
    most      bigint := 0;
    quantity  bigint;
    held      record;
    daily     record;
    requested numeric;
    exceeded  text;
BEGIN
    FOREACH quantity IN ARRAY quantities LOOP
        units := units + quantity;
        most := greatest(most, quantity);
    END LOOP;
    CASE
        WHEN cardinality(quantities) > (limits ->> 'order_lines')::integer THEN
            exceeded := 'order_lines';
            requested := cardinality(quantities);
        WHEN most > (limits ->> 'order_units')::integer THEN
            exceeded := 'order_units';
            requested := most;
        WHEN units > (limits ->> 'customer_units')::integer THEN
            exceeded := 'customer_units';
            requested := units;
        ELSE
    END CASE;
    IF exceeded IS NOT NULL THEN
        outcome := 'order_limit';
        body := json_build_object('limit', exceeded, 'maximum', limits -> exceeded, 'requested', requested);
        RETURN;
    END IF;

    outcome := 'customer_limit';
    -- Two orders at once would not see each other. The second one is refused and does not wait, because a customer with
    -- many requests would occupy a connection with each of them.
    IF NOT pg_try_advisory_xact_lock(hashtextextended('customer ' || customer, 0)) THEN
        body := json_build_object('limit', 'concurrent_orders', 'maximum', 1, 'held', 1, 'retry_after', 1);
        RETURN;
    END IF;
    -- The shop can place any number of orders for a customer, so no more are read than decide.
    SELECT count(*) AS orders, coalesce(sum(open.units), 0) AS units,
           ceil(extract(epoch FROM min(nullif(open.expires_at, 'infinity')) - now())) AS retry_after
      INTO held
      FROM (SELECT o.expires_at, (SELECT sum(item.quantity) FROM order_items item WHERE item.order_id = o.id) AS units
              FROM orders o
             WHERE o.customer_id = customer AND o.status = 'pending' AND o.payment_status <> 'paid'
             LIMIT (limits ->> 'customer_orders')::integer) open;
    -- Each order adds rows, also if it is canceled at once. A customer who pays has no such limit.
    SELECT count(*) AS orders, ceil(extract(epoch FROM min(recent.created_at) + interval '1 day' - now())) AS retry_after
      INTO daily
      FROM (SELECT o.created_at
              FROM orders o
             WHERE o.customer_id = customer AND o.created_at > now() - interval '1 day' AND o.payment_status <> 'paid'
             ORDER BY o.created_at DESC
             LIMIT (limits ->> 'daily_orders')::integer) recent;
    CASE
        WHEN held.orders >= (limits ->> 'customer_orders')::integer THEN
            body := json_build_object('limit', 'customer_orders', 'maximum', limits -> 'customer_orders',
                                      'held', held.orders, 'retry_after', held.retry_after);
        WHEN held.units + units > (limits ->> 'customer_units')::integer THEN
            body := json_build_object('limit', 'customer_units', 'maximum', limits -> 'customer_units',
                                      'held', held.units, 'requested', units, 'retry_after', held.retry_after);
        WHEN daily.orders >= (limits ->> 'daily_orders')::integer THEN
            body := json_build_object('limit', 'daily_orders', 'maximum', limits -> 'daily_orders',
                                      'held', daily.orders, 'retry_after', daily.retry_after);
        ELSE
            outcome := NULL;
    END CASE;
END
$$;
