-- Erases the bodies of the payment events of orders, and the notes of staff about these events.
-- These are the events that name an order or are in its timeline, those with the same event ID, and those about the same
-- payment. Stripe reports a payment with two events, and often only one of them names the order.
-- The caller has locked the orders.
-- payment_references: other payments of the orders. Returns the orders whose events had a body or a note, or NULL.
CREATE OR REPLACE FUNCTION erase_bodies_of_orders(order_ids uuid[], payment_references text[] DEFAULT '{}')
    RETURNS uuid[]
    LANGUAGE plpgsql AS $$
DECLARE
    received uuid[] := ARRAY(SELECT t.inbox_id FROM order_events t
                              WHERE t.order_id = ANY (order_ids) AND t.inbox_id IS NOT NULL);
    firsts   uuid[];
    touched  uuid[];
    noted    uuid[];
BEGIN
    payment_references := payment_references || ARRAY(
        SELECT e.payment_reference FROM payment_events e WHERE e.order_id = ANY (order_ids) OR e.id = ANY (received));
    PERFORM lock_payments(payment_references);
    -- The first content under each ID is locked before any other, as in keep_payment_event.
    SELECT array_agg(locked.id) INTO firsts
      FROM (SELECT f.id
              FROM payment_events f
             WHERE f.variant = 0
               AND (f.event_id, f.scheme) IN (
                   SELECT e.event_id, e.scheme FROM payment_events e
                    WHERE e.order_id = ANY (order_ids) OR e.id = ANY (received)
                       OR e.payment_reference = ANY (payment_references))
             ORDER BY f.event_id, f.scheme
               FOR NO KEY UPDATE) locked;

    -- A separate statement after the locks. It sees the events of the deliveries that these locks waited for.
    WITH erased AS (
        UPDATE payment_events e
           SET body = NULL, body_is_base64 = NULL
          FROM payment_events f
         WHERE f.id = ANY (firsts) AND e.event_id = f.event_id AND e.scheme = f.scheme AND e.body IS NOT NULL
        RETURNING e.order_id
    )
    SELECT array_agg(DISTINCT order_id) INTO touched FROM erased WHERE order_id = ANY (order_ids);
    noted := erase_acknowledgements(ARRAY(
        SELECT e.id
          FROM payment_events f
          JOIN payment_events e ON (e.event_id, e.scheme) = (f.event_id, f.scheme)
         WHERE f.id = ANY (firsts)));
    IF noted IS NOT NULL THEN
        touched := touched || ARRAY(
            SELECT DISTINCT e.order_id FROM payment_events e WHERE e.id = ANY (noted) AND e.order_id = ANY (order_ids));
    END IF;
    RETURN touched;
END
$$;
