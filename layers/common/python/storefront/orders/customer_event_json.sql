-- Returns an event of an order's timeline as its customer sees it: without the shop's IDs and names.
-- reader: the subject of the customer's token.
CREATE OR REPLACE FUNCTION customer_event_json(event order_events, reader text) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    event.actor := coalesce(event.party::text, CASE
        WHEN event.cause = 'payment_event' THEN 'payment processor'
        WHEN event.cause = 'placed' AND event.actor = reader THEN 'customer'
        ELSE 'shop' END);
    RETURN order_event_json(event, for_staff => false);
END
$$;
