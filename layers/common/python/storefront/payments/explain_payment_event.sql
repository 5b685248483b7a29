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
        'reconciliation. Otherwise, refund it at the processor, and acknowledge the entry.';
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
        ('refund_or_dispute', 'A refund or a dispute was reported to an earlier release, which did not read it.',
            'Replay the event.'),
        ('refund_pending', 'The processor reports a refund. The money is not at the customer yet.', NULL),
        ('refund_canceled', 'A refund was canceled at the processor. No money went back.', NULL),
        ('refund_succeeded', 'A refund succeeded. The money went back.', NULL),
        ('refund_failed', 'A refund failed. The customer did not get the money.',
            'Look up the reason at the processor. Then request the refund again, or pay in another way.'),
        ('refund_same_status', 'This was reported before. Several events can report one status.', NULL),
        ('older_status', 'A newer event about this refund or dispute arrived before. Nothing changed.', NULL),
        ('amount_zero', 'The refund has the amount 0. Nothing changed.', NULL),
        ('no_payment_named', 'The refund or the dispute is about no payment. For example, money left the balance of a '
            'customer.', NULL),
        ('not_captured', 'Money that was only authorized was released. The shop had not received it.', NULL),
        ('refund_total', 'The processor reported the sum of the refunds of a payment. It is only compared.', NULL),
        ('payment_unknown', 'A refund or a dispute was reported before its payment. It is applied when the payment is '
            'reported.', NULL),
        ('refund_amount_unreadable', 'A refund was reported, but its amount or its currency cannot be read.',
            'Look up the refund at the processor. Then request it here, and set it to succeeded.'),
        ('refund_currency_differs', 'A refund was reported, but its currency is not the one of the payment.',
            'Look up the refund at the processor. If it is right, request it here, and set it to succeeded.'),
        ('refund_other_content', 'Another refund or payment was reported under this event ID before. This one is never '
            'applied.', 'Search the inbox for this event ID, and look up both at the processor.'),
        ('refund_set_to_failed', 'The processor reports that a refund succeeded which staff had set to failed.',
            'The money went back: do not refund it again. If a new refund of this money was requested, cancel it. If it '
            'was made, too, ask the customer for the money. Then acknowledge the entry of the reconciliation.'),
        ('refund_unknown_order', 'The refund or the dispute is about an order that does not exist.', NULL),
        ('dispute_open', 'The customer disputes the payment at their bank.',
            'Answer the dispute at the processor before its deadline. Until it ends, do not refund the payment'
            || CASE target.status WHEN 'pending' THEN ', and do not ship the goods.' ELSE '.' END),
        ('dispute_won', 'A dispute ended. The shop keeps the money.', NULL),
        ('dispute_lost', 'A dispute was lost. The money went back to the customer.',
            CASE target.status WHEN 'pending' THEN 'If the goods are not shipped, cancel the order.' END),
        ('same_payment', 'This payment was reported before. Several events can report one payment.', NULL),
        ('paid_twice', 'A second payment arrived for an order that is already paid.',
            CASE WHEN target.status = 'canceled' THEN refund_it
                 ELSE 'Refund one of the payments. Request the refund here, or make it at the processor.' END),
        ('payment_changed', 'This payment was reported before, with another amount or currency.',
            'Look up the amount at the processor. If it is not the one that Storefront shows, settle the difference with '
            'the customer. Then acknowledge the entry of the reconciliation.'),
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
        ('amount_differs', 'A payment was reported, but its amount is not the total of the order.', settle),
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
