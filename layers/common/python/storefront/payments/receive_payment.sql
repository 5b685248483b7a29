-- Stores the payment that an event reports. Refund and dispute events that waited for it are applied, too. The caller has
-- locked the order and stored the event.
-- Returns the event, which needs review if its payment belongs to another order, or has refunds in another currency, and
-- the order with its new amounts.
-- known: as in payment_decision.
CREATE OR REPLACE FUNCTION receive_payment(
    INOUT event payment_events, INOUT target orders, known payments, request jsonb
)
    LANGUAGE plpgsql AS $$
DECLARE
    received numeric := coalesce(nullif(trim_scale(coalesce(event.amount, known.amount)), target.total_price),
                                 target.total_price);
    received_currency text := coalesce(event.currency, known.currency, target.currency);
    scheme   text := CASE WHEN event.payment_reference IS NULL THEN event.scheme ELSE '' END;
    refused  text;
BEGIN
    IF known.id IS NULL THEN
        -- Another session that stores the same payment, or an event that names it, ends first.
        INSERT INTO payments AS p (id, order_id, reference, event_scheme, amount, currency, reason, received_at)
        VALUES (event.id, target.id, payment_reference(event), scheme, received, received_currency, event.reason,
                event.received_at)
        ON CONFLICT (reference, event_scheme) DO UPDATE
           SET id = excluded.id, order_id = excluded.order_id, amount = excluded.amount, currency = excluded.currency,
               reason = excluded.reason, received_at = excluded.received_at
         -- An event named the payment before it was reported.
         WHERE p.order_id IS NULL;
        refused := CASE WHEN NOT FOUND THEN 'payment_of_other_order' END;
    ELSIF received_currency <> known.currency AND EXISTS (SELECT FROM refunds r WHERE r.payment_id = known.id) THEN
        refused := 'payment_changed';
    ELSE
        -- A replay, or a corrected amount.
        UPDATE payments p
           SET reason = event.reason, amount = received, currency = received_currency
         WHERE p.id = known.id
           AND (p.reason, p.amount, p.currency) IS DISTINCT FROM (event.reason, received, received_currency);
        IF NOT FOUND THEN
            RETURN;
        END IF;
    END IF;
    IF refused IS NOT NULL THEN
        event.outcome := 'needs_review';
        event.reason := refused;
        UPDATE payment_events e SET outcome = event.outcome, reason = event.reason WHERE e.id = event.id;
        RETURN;
    END IF;
    PERFORM apply_waiting_events(target, request);
    target := recount_money(target.id, is_shown => true, has_moved => true);
END
$$;
