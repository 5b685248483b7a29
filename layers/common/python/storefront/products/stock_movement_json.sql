-- Returns a stock movement as the API shows it.
CREATE OR REPLACE FUNCTION stock_movement_json(movement stock_movements) RETURNS json
    -- Not in SQL: PostgreSQL 15 would plan the query again for each page.
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN json_build_object(
        'product_id', movement.product_id,
        'kind', movement.kind,
        'delta', movement.delta,
        'quantity', movement.quantity,
        'reason', movement.reason,
        'order_id', coalesce(movement.order_id, (SELECT r.order_id FROM refunds r WHERE r.id = movement.refund_id)),
        'refund_id', movement.refund_id,
        'actor', movement.actor,
        'request_id', movement.request_id,
        'occurred_at', rfc3339(movement.occurred_at));
END
$$;
