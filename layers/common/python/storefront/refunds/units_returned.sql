-- Returns the units of a line item that are back in the stock: by refunds, or by the cancellation of the order.
CREATE OR REPLACE FUNCTION units_returned(item order_items, target orders) RETURNS bigint
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF target.status = 'canceled' THEN
        RETURN item.quantity;
    END IF;
    RETURN (SELECT coalesce(sum(l.quantity), 0) FROM refund_lines l WHERE l.order_item_id = item.id AND l.restock);
END
$$;
