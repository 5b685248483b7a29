-- Says in words what an event of a timeline changed, and what staff should do. action: NULL if nothing.
CREATE OR REPLACE FUNCTION explain_order_event(event order_events, OUT message text, OUT action text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    received  payment_events;
    is_latest boolean;
    target    orders;
    refund    refunds;
BEGIN
    SELECT * INTO target FROM orders o WHERE o.id = event.order_id;
    CASE event.cause
        WHEN 'placed' THEN
            message := CASE event.to_payment_status WHEN 'paid' THEN 'The order was placed. Its total is 0, so it is paid.'
                                                    ELSE 'The order was placed.' END;
        WHEN 'expiry' THEN
            message := 'The order was not paid in time, so it was canceled and its stock returned.';
        WHEN 'status_change' THEN
            message := CASE event.to_status WHEN 'canceled' THEN 'The order was canceled and its stock returned.'
                                            ELSE 'The order was completed.' END;
            action := CASE WHEN event.outcome = 'needs_refund' AND target.refund_status IN ('none', 'partial')
                                AND is_open_mismatch(ARRAY['paid_and_canceled'], target.id)
                THEN 'Request a refund of the payment here, or make it at the processor.' END;
        WHEN 'note' THEN
            message := CASE WHEN event.note IS NULL THEN 'Staff wrote a note. Its text was erased.'
                            ELSE 'Staff wrote a note.' END;
        WHEN 'refund' THEN
            SELECT * INTO refund FROM refunds r WHERE r.id = event.refund_id;
            message := format(CASE
                WHEN event.reason = 'made_at_processor' THEN 'The request of a refund of %s %s was canceled, because the '
                    'refund was already made at the processor.'
                WHEN event.refund_status = 'requested' THEN 'A refund of %s %s was requested.'
                WHEN event.refund_status = 'pending' THEN 'A refund of %s %s was claimed. It is executed now.'
                WHEN event.refund_status = 'canceled' THEN 'A refund of %s %s was canceled. No money went back.'
                WHEN event.refund_status = 'succeeded' THEN 'A refund of %s %s was set to succeeded. The money went back.'
                WHEN event.refund_status = 'failed' THEN 'A refund of %s %s was set to failed. The customer did not get the '
                    'money.' END,
                money_text(refund.amount), refund.currency);
        WHEN 'acknowledgement' THEN
            message := format('Staff dismissed the entry %s of the reconciliation.', event.reason);
        WHEN 'erasure' THEN
            message := 'The personal data of the customer was erased.';
        ELSE
            SELECT * INTO received FROM payment_events e WHERE e.id = event.inbox_id;
            is_latest := received.reason IS NOT DISTINCT FROM event.reason;
            -- What this attempt did. The inbox has the outcome that counts.
            received.reason := event.reason;
            received.payment_status := event.received_payment_status;
            SELECT explained.message, explained.action INTO message, action
              FROM explain_payment_event(received, target) explained;
            -- After another attempt, the entry of that one says what to do.
            IF action IS NOT NULL AND NOT (is_latest AND is_left_to_do(received)) THEN
                action := NULL;
            END IF;
    END CASE;
END
$$;
