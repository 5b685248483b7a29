-- Returns why lines of a refund are refused, or NULL: line items that the order does not have, and units that were not
-- sold, or that returned to the stock before.
-- Outcomes: NULL; unknown_items, with their IDs; too_many_units, with the line items.
CREATE OR REPLACE FUNCTION refused_lines(target orders, lines refund_lines[], OUT outcome text, OUT body json)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    SELECT 'unknown_items', json_agg(DISTINCT l.order_item_id) INTO outcome, body
      FROM unnest(lines) l
     WHERE NOT EXISTS (SELECT FROM order_items item WHERE item.id = l.order_item_id AND item.order_id = target.id);
    IF body IS NOT NULL THEN
        RETURN;
    END IF;
    SELECT 'too_many_units', json_agg(json_build_object(
               'order_item_id', item.id, 'quantity', asked.units, 'restock', asked.returning_units,
               'ordered', item.quantity, 'returned', returned.units))
      INTO outcome, body
      FROM (SELECT l.order_item_id, sum(l.quantity) AS units,
                   coalesce(sum(l.quantity) FILTER (WHERE l.restock), 0) AS returning_units
              FROM unnest(lines) l
             GROUP BY l.order_item_id) asked
      JOIN order_items item ON item.id = asked.order_item_id
     -- A cancellation returned all that refunds had not returned.
     CROSS JOIN LATERAL (
           SELECT CASE target.status WHEN 'canceled' THEN item.quantity ELSE units_returned(item) END AS units) returned
     WHERE asked.units > item.quantity
        OR asked.returning_units > item.quantity - returned.units;
    IF body IS NULL THEN
        outcome := NULL;
    END IF;
END
$$;
