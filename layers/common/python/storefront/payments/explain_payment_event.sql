-- Says in words what a payment event did, and what staff should do. action: NULL if nothing.
CREATE OR REPLACE FUNCTION explain_payment_event(
    reason text, payment_status payment_status, OUT message text, OUT action text
)
    LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    is_paid boolean := payment_status IS NOT DISTINCT FROM 'paid';
    find_order CONSTANT text := 'Look up the payment at the processor. If it is for one of your orders, have the event '
        'sent again with the right order ID, or refund the payment. If it is for another shop or system, do nothing.';
    read_again CONSTANT text := 'Look up the payment at the processor. Correct the sender, and send the event again.';
BEGIN
    -- A reason that depends on the payment status comes with its first letter: p for paid, and - for everything else.
    SELECT known.message, known.action INTO message, action
      FROM (VALUES
        ('p applied', 'The payment was recorded.', NULL),
        ('- applied', 'A failed payment was recorded. The customer can pay again.', NULL),
        ('same_event', 'This event arrived before. It has no further effect.', NULL),
        ('same_status', 'The order already had this payment status. Several events can report one payment.', NULL),
        ('order_paid', 'A failed payment was reported after the order was paid. The order stays paid.', NULL),
        ('order_not_pending', 'A failed payment was reported for an order that is not pending. Nothing changed.', NULL),
        ('type_not_ours', 'Events of this type do not change the payment of an order.', NULL),
        ('not_paid', 'The event brings no money. For example, the customer only stored a card.', NULL),
        ('payment_under_way', 'The customer started a payment that takes time. The order does not expire meanwhile.',
            'Wait for the result of the payment.'),
        ('payment_ended', 'A payment was canceled, or its time ran out. It does not keep the order from expiring.',
            NULL),
        ('p no_order_named', 'Money arrived, but the event contains no order ID.', find_order),
        ('- no_order_named', 'The event contains no order ID. It brings no money.', NULL),
        ('other_mode', 'The shop does not accept events in this mode, such as test payments.',
            'Do nothing. If the setting PaymentMode is wrong, correct it and replay the event.'),
        ('other_account', 'The shop does not accept events from this account.',
            'Do nothing. If the setting PaymentAccounts is wrong, correct it and replay the event.'),
        ('order_canceled', 'Money arrived for a canceled order.', 'Refund the payment at the processor.'),
        ('amount_differs', 'Money arrived, but not the total of the order. The order is not marked as paid.',
            'Settle the difference with the customer, or refund the payment and cancel the order.'),
        ('currency_differs', 'Money arrived in another currency. The order is not marked as paid.',
            'Refund the payment and cancel the order. If the setting Currency is wrong, correct it and replay the '
            'event.'),
        ('amount_unreadable', 'Money arrived, but the amount or the currency cannot be read. The order is not marked '
            'as paid.',
            'Look up the amount at the processor. If it is right, correct the sender, and send the event again. '
            'Otherwise, refund the payment and cancel the order.'),
        ('order_completed', 'Money arrived for an order that was completed without payment.',
            'Ask the customer whether they paid twice, for example also in cash. If so, refund one of the payments.'),
        ('other_content', 'Another payment was reported under this event ID before. This one is never applied.',
            'Ask the processor which of the two is right. Refund this payment if money arrived for it.'),
        ('p unknown_order', 'Money arrived for an order that does not exist.', find_order),
        ('- unknown_order', 'The event is about an order that does not exist. No money arrived.', NULL),
        ('not_json', 'The event may report a payment, but its body is not JSON.', read_again),
        ('media_type', 'The event may report a payment, but it was not declared as JSON.', read_again),
        ('invalid', 'The event may report a payment, but its status or its order ID cannot be read.', read_again)
      ) AS known(key, message, action)
     WHERE known.key IN (coalesce(reason, 'applied'),
                         CASE WHEN is_paid THEN 'p ' ELSE '- ' END || coalesce(reason, 'applied'));
END
$$;
