-- Says in words what an event about a refund or a dispute did, and what staff should do. action: NULL if nothing.
-- key: as from payment_event_case. target: as in explain_payment_event.
CREATE OR REPLACE FUNCTION explain_refund_event(
    key text, event payment_events, target orders, OUT message text, OUT action text
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    of_amount CONSTANT text := coalesce(
        (SELECT format(' of %s %s', money_text(r.amount), r.currency) FROM refunds r WHERE r.id = event.refund_id), '');
    read_again CONSTANT text := 'Look up the refund or the dispute at the processor. If there is none, acknowledge the entry '
        'of the reconciliation. Otherwise, have the program that sent the event corrected, and the event sent again.';
BEGIN
    SELECT known.message, known.action INTO message, action
      FROM (VALUES
        ('refund_or_dispute', 'A refund or a dispute was reported to an earlier release, which did not read it.',
            'Replay the event.'),
        ('refund_pending', 'The processor reports a refund' || of_amount || '. The money is not at the customer yet.', NULL),
        ('refund_canceled', 'A refund' || of_amount || ' was canceled at the processor. No money went back.', NULL),
        ('refund_succeeded', 'A refund' || of_amount || ' succeeded. The money went back.', NULL),
        ('refund_failed', 'A refund' || of_amount || ' failed. The customer did not get the money.',
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
            'applied.', 'Search the inbox for this event ID, and look up both at the processor.'
            || CASE WHEN event.refund_status IS NULL THEN ''
                    ELSE ' If this refund was made, request it here, and set it to succeeded.' END),
        ('refund_set_to_failed', 'The processor reports that a refund' || of_amount || ' succeeded which staff had set to failed.',
            'The money went back: do not refund it again. If a new refund of this money was requested, cancel it. If it '
            'was made, too, ask the customer for the money. Then acknowledge the entry of the reconciliation.'),
        ('refund_unknown_order', 'The refund or the dispute is about an order that does not exist.', NULL),
        ('dispute_open', 'The customer disputes the payment at their bank.',
            'Answer the dispute at the processor before its deadline. Until it ends, do not refund the payment'
            || CASE target.status WHEN 'pending' THEN ', and do not ship the goods.' ELSE '.' END),
        ('dispute_won', 'A dispute ended. The shop keeps the money.', NULL),
        ('dispute_lost', 'A dispute was lost. The money went back to the customer.',
            CASE target.status WHEN 'pending' THEN 'If the goods are not shipped, cancel the order.' END),
        ('refund_media_type', 'The event may report a refund or a dispute, but its Content-Type is not JSON.',
            'First, replay the event. ' || read_again),
        ('refund_invalid', 'The event may report a refund or a dispute, but it cannot be read. In the inbox, error says why.',
            read_again)
      ) AS known(name, message, action)
     WHERE known.name = key;
END
$$;
