-- Returns why a payment that an event reports does not pay its order, or NULL if it does.
-- known: as in payment_decision.
CREATE OR REPLACE FUNCTION refused_payment(event payment_events, target orders, known payments) RETURNS text
    LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    has_unreadable_amount boolean;
BEGIN
    -- Most payments are like this, and do not pay for the tests below.
    IF known.id IS NULL AND event.reason IS NULL AND target.status = 'pending' AND target.payment_status = 'unpaid'
       AND (event.amount = target.total_price) IS NOT FALSE AND (event.currency = target.currency) IS NOT FALSE THEN
        RETURN NULL;
    END IF;
    -- A release before 0.3.0 stored only the reason.
    has_unreadable_amount := coalesce(event.reader_reason, event.reason, '') = 'amount_unreadable';
    -- Another event reported this payment, or corrected its amount. Only a corrected amount can pay the order.
    IF known.id <> event.id IS NOT FALSE AND known.id IS NOT NULL OR known.id = event.id AND known.reason IS NULL THEN
        RETURN CASE
            WHEN has_unreadable_amount THEN 'amount_unreadable'
            WHEN known.id = event.id
                 OR (event.amount = known.amount) IS NOT FALSE AND (event.currency = known.currency) IS NOT FALSE
                THEN 'same_payment'
            WHEN target.status <> 'pending' OR target.payment_status = 'paid'
                 OR coalesce(event.amount, known.amount) <> target.total_price
                 OR coalesce(event.currency, known.currency) <> target.currency THEN 'payment_changed'
            END;
    END IF;
    IF target.status = 'canceled' AND target.payment_status <> 'paid' AND (event.amount > 0) IS NOT FALSE THEN
        RETURN 'order_canceled';
    ELSIF target.status = 'canceled' AND event.amount = 0 AND target.total_price > 0 THEN
        RETURN 'not_paid';
    ELSIF has_unreadable_amount THEN
        RETURN 'amount_unreadable';
    ELSIF target.payment_status = 'paid' AND target.total_price > 0 AND (event.amount > 0) IS NOT FALSE
          -- An event without any ID is a report of the payment that the order has.
          AND payment_reference(event) IS NOT NULL THEN
        RETURN 'paid_twice';
    -- Nothing was due, so a payment without an amount cannot be the one that was expected.
    ELSIF event.amount <> target.total_price OR event.amount IS NULL AND target.total_price = 0 THEN
        RETURN 'amount_differs';
    ELSIF event.currency <> target.currency THEN
        RETURN 'currency_differs';
    ELSIF target.payment_status = 'paid' THEN
        RETURN 'same_status';
    ELSIF target.status = 'completed' THEN
        RETURN 'order_completed';
    END IF;
    RETURN NULL;
END
$$;
