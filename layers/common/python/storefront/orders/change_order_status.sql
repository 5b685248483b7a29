-- Completes or cancels a pending order. Canceling returns the stock in the same statement, and requests a refund of each
-- payment if the request has a refund.
-- Outcomes: changed; unknown_order; stale, if the order's ETag is not in the request's if_match; invalid_transition,
-- with the current status; payment_disputed, if the refund is of an order with an open dispute; payment_under_way, if a
-- customer cancels an order that is paid, or is being paid.
CREATE OR REPLACE FUNCTION change_order_status(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    target  order_status := request ->> 'status';
    locked  record;
    changed orders;
BEGIN
    -- The second of two changes waits here, and then sees the first one.
    locked := lock_order(request);
    IF locked.outcome IS NOT NULL THEN
        outcome := locked.outcome;
        RETURN;
    END IF;
    changed := locked.target;
    IF changed.status <> 'pending' OR target = 'pending' THEN
        outcome := 'invalid_transition';
        body := to_json(changed.status);
        RETURN;
    END IF;
    IF request ->> 'customer_id' IS NOT NULL AND (changed.payment_status = 'paid' OR changed.held_since IS NOT NULL) THEN
        outcome := 'payment_under_way';
        RETURN;
    END IF;
    IF (request ->> 'refund')::boolean THEN
        PERFORM complete_payments(ARRAY[changed.id]);
        IF EXISTS (SELECT FROM payments p WHERE p.order_id = changed.id AND is_disputed(p.id)) THEN
            outcome := 'payment_disputed';
            RETURN;
        END IF;
    END IF;

    IF target = 'canceled' THEN
        PERFORM restock_orders(ARRAY[changed.id], request);
    END IF;
    UPDATE orders o SET status = target, held_since = NULL, updated_at = clock_timestamp()
     WHERE o.id = changed.id
    RETURNING * INTO changed;
    INSERT INTO order_events (order_id, cause, actor, party, from_status, from_payment_status,
                              to_status, to_payment_status, outcome, request_id)
    VALUES (changed.id, 'status_change', request ->> 'actor', (request ->> 'party')::party,
            'pending', changed.payment_status, changed.status, changed.payment_status,
            CASE WHEN changed.status = 'canceled' AND changed.payment_status = 'paid'
                      AND changed.total_price > 0 THEN 'needs_refund' END,
            request ->> 'request_id');
    IF (request ->> 'refund')::boolean THEN
        PERFORM add_refund(p, left_of_payment(p), request)
           FROM payments p
          WHERE p.order_id = changed.id AND left_of_payment(p) > 0
          ORDER BY p.received_at, p.id;
        changed := recount_money(changed.id, is_shown => true);
    END IF;

    outcome := 'changed';
    body := order_json(changed);
END
$$;
