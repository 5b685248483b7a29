-- Says in words what a payment event did, and what staff should do now. action: NULL if nothing.
-- target: the order as it is now, or NULL if it was not found.
CREATE OR REPLACE FUNCTION explain_payment_event(
    event payment_events, target orders, OUT message text, OUT action text
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    payment    payments;
    key        CONSTANT text := payment_event_case(event, target);
    find_order CONSTANT text := 'Look up the payment at the processor. If it is for one of your orders, have it '
        'reported again with the right order ID. If it is for another shop or system, acknowledge the entry of the '
        'reconciliation. Otherwise, refund it at the processor. Then acknowledge the entry of the reconciliation.';
    read_again CONSTANT text := 'Look up the payment at the processor. If there is none, acknowledge the entry of the '
        'reconciliation. Otherwise, have the program that sent the event corrected, and the event sent again. The order '
        'can expire meanwhile.';
    -- Without an amount, there is no payment that a refund can be requested of.
    refund_it CONSTANT text := CASE
        WHEN 'amount_unreadable' IN (event.reader_reason, event.reason) OR event.amount IS NULL AND target.total_price = 0
            THEN 'Refund the payment at the processor.'
        ELSE 'Request a refund of the payment here, or make it at the processor.'
        END;
    settle CONSTANT text := CASE
        WHEN target.total_price = 0 THEN 'The order costs nothing. ' || refund_it
        WHEN target.status = 'canceled' THEN refund_it
        WHEN target.payment_status = 'paid' THEN 'The order is paid, so do not cancel it. Look up this payment at the '
            'processor. If the customer paid twice, refund it.'
        WHEN target.status = 'completed' THEN 'Ask the customer for the rest, or refund what is too much. If you accept '
            'the amount, acknowledge the entry of the reconciliation.'
        ELSE 'If you accept the payment, complete the order. It stays unpaid here. Otherwise, refund the payment and '
            'cancel the order.'
        END;
BEGIN
    SELECT known.message, known.action INTO message, action
      FROM (VALUES
        ('applied_payment', 'The payment was recorded.', NULL),
        ('applied_test', 'A test payment was recorded. No real money arrived.', NULL),
        ('applied_failure', 'A failed payment was recorded. The customer can pay again.', NULL),
        ('same_event', 'This event arrived before. It has no further effect.', NULL),
        ('same_status', 'The order was already paid. Several events can report one payment.', NULL),
        ('failed_again', 'Another attempt to pay failed. The customer can pay again.', NULL),
        ('order_paid', 'A failed payment was reported after the order was paid. The order stays paid.', NULL),
        ('order_not_pending', 'A failed payment was reported for an order that is not pending. Nothing changed.', NULL),
        ('type_not_ours', 'Storefront does not handle events of this type. Nothing changed.', NULL),
        ('same_payment', 'This payment was reported before. Several events can report one payment.', NULL),
        ('paid_twice', 'A second payment arrived for an order that is already paid.',
            CASE WHEN target.status = 'canceled' THEN refund_it
                 ELSE 'Refund one of the payments. Request the refund here, or make it at the processor.' END),
        ('payment_changed', 'This payment was reported before, with another amount or currency.',
            'Look up the amount at the processor. If it is not the one that Storefront shows, settle the difference with '
            'the customer. If the entry of the reconciliation stays, acknowledge it.'),
        ('payment_of_other_order', 'This payment was reported before, for another order.',
            'Look up the payment at the processor. If it is for this order, correct the program that sent the event.'),
        ('not_paid', 'The event brings no money. For example, the customer only stored a card.', NULL),
        ('payment_under_way', 'The customer started a payment that takes time. The order does not expire meanwhile.',
            'Wait for the result of the payment.'),
        ('payment_authorized', 'The customer authorized a payment, but the money is not collected yet. The order does '
            'not expire meanwhile.', 'Capture the payment at the processor, or cancel it there.'),
        ('payment_was_under_way', 'The customer started a payment. The order does not wait for it any more.', NULL),
        ('payment_ended', 'A payment was canceled, or its time ran out. It brings no money.', NULL),
        ('no_order_named', 'Money arrived, but the event has no order ID that can be read.', find_order),
        ('no_order_named_without_money', 'The event has no order ID that can be read. No money arrived.', NULL),
        ('other_mode', 'The event is about test money, but the shop accepts only real money.', NULL),
        ('other_mode_live', 'The event is about real money, but the shop accepts only test money.',
            'Correct the setting PaymentMode, and replay the event. If money arrived by mistake, refund it.'),
        ('other_account', 'The shop does not accept events from this account.',
            'Do nothing. If the setting PaymentAccounts is wrong, correct it and replay the event.'),
        ('order_canceled', 'Money arrived for a canceled order.', refund_it),
        ('amount_differs', CASE WHEN event.amount IS NULL
            THEN 'A payment was reported, but its amount is not the total of the order.'
            ELSE format('A payment of %s %s was reported, but the total of the order is %s %s.',
                money_text(trim_scale(event.amount)), coalesce(event.currency, target.currency),
                money_text(target.total_price), target.currency) END, settle),
        ('currency_differs', 'A payment was reported, but its currency is not the one of the order.',
            'If your program created the payment in a wrong currency, correct the program. ' || settle),
        ('amount_unreadable', 'A payment was reported, but its amount or its currency cannot be read.',
            'Look up the amount at the processor. ' || settle),
        ('order_completed', 'A payment was reported for an order that was completed without payment.',
            'Ask the customer whether they paid twice, for example also in cash. If so, request a refund of this payment '
            'here, or make it at the processor. If not, acknowledge the entry of the reconciliation.'),
        ('other_content', 'Another payment was reported under this event ID before. This one is never applied.',
            'Search the inbox for this event ID, and look up both payments at the processor. Refund this one if its '
            'money arrived and is not for this order.'),
        ('unknown_order', 'Money arrived for an order that does not exist.', find_order),
        ('unknown_order_without_money', 'The event is about an order that does not exist. No money arrived.', NULL),
        ('not_json', 'The event may report a payment, but its body is not JSON.', read_again),
        ('media_type', 'The event may report a payment, but its Content-Type is not JSON.',
            'First, replay the event. ' || read_again),
        ('invalid', 'The event may report a payment, but it cannot be read. In the inbox, error says why.', read_again)
      ) AS known(name, message, action)
     WHERE known.name = key;
    IF NOT FOUND THEN
        SELECT explained.message, explained.action INTO message, action FROM explain_refund_event(key, event, target) explained;
    END IF;
    IF action IS NOT NULL AND target.refund_status = 'pending' AND event.outcome IN ('needs_refund', 'needs_review') THEN
        SELECT * INTO payment FROM payments p WHERE p.id = event.id AND p.order_id = target.id;
        IF FOUND THEN
            action := coalesce(
                explain_open_refunds(target, CASE
                    -- A refund of either payment will do.
                    WHEN key = 'paid_twice' AND target.status <> 'canceled' AND payment.currency = target.currency THEN NULL
                    ELSE payment END), action);
        END IF;
    END IF;
END
$$;
