-- Returns the units of a line item that refunds returned to the stock. A cancellation returns only the others.
CREATE OR REPLACE FUNCTION units_returned(item order_items) RETURNS bigint
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN (SELECT coalesce(sum(l.quantity), 0) FROM refund_lines l WHERE l.order_item_id = item.id AND l.restock);
END
$$;
