-- Says in words why the reconciliation lists a payment or a payment event, and what staff should do.
CREATE OR REPLACE FUNCTION explain_event_mismatch(
    target orders, event payment_events, payment payments, OUT message text, OUT action text
)
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF payment.reported_refunds > payment.known_refunds THEN
        message := format('The processor reports refunds of %s %s in total, but only %s are known here.',
            money_text(payment.reported_refunds), payment.currency, money_text(payment.known_refunds));
        action := 'Have the processor send the events of its refunds again. If your webhook does not receive them, '
            'select their types at the processor first.';
        RETURN;
    END IF;
    SELECT explained.message, replace(explained.action, 'the entry of the reconciliation', 'this entry')
      INTO message, action
      FROM explain_payment_event(event, target) explained;
    IF payment.id IS NULL AND strpos(action, 'acknowledge') = 0 THEN
        action := action || CASE WHEN event.reason IN ('other_content', 'payment_of_other_order')
            THEN ' Then acknowledge this entry.' ELSE ' If this entry stays, acknowledge it.' END;
    END IF;
END
$$;
