-- Carries out the outcome of a payment event, adds it to the order's timeline, and returns the response.
-- An event of a type that is not handled is not in the timeline, because processors send many of them. Of an event that
-- is delivered again and again, the timeline has the first deliveries: whoever captured one could fill it.
-- added: the amount of a new payment that paid_amount does not contain yet.
-- stored_outcome: of the inbox entry, also if this delivery is a duplicate.
-- is_recent: whether the first delivery is less than an hour ago, so that an order's transaction may not have ended.
CREATE OR REPLACE FUNCTION settle_payment_event(
    event payment_events, target orders, added numeric, cause order_event_cause, request jsonb
) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    max_deliveries CONSTANT integer := 20;
    before payment_status := target.payment_status;
    stored payment_event_outcome := event.outcome;
    hold timestamptz;
BEGIN
    IF event.outcome = 'applied' AND event.payment_status IS NOT NULL THEN
        UPDATE orders o
           SET payment_status = event.payment_status, paid_amount = o.paid_amount + added,
               money_changes = o.money_changes + (added > 0)::integer, updated_at = clock_timestamp()
         WHERE o.id = target.id;
        target.payment_status := event.payment_status;
    END IF;
    IF target.status = 'pending' AND target.payment_status <> 'paid' THEN
        hold := payment_hold(target.id);
    END IF;
    -- The response for an order does not show this, so updated_at does not change.
    IF hold IS DISTINCT FROM target.held_since THEN
        UPDATE orders o SET held_since = hold WHERE o.id = target.id;
    END IF;
    IF target.id IS NOT NULL AND event.reader_reason IS DISTINCT FROM 'type_not_ours'
       AND NOT (cause = 'payment_event' AND event.reason = 'same_event' AND event.attempts > max_deliveries) THEN
        INSERT INTO order_events (order_id, cause, actor, party, from_status, from_payment_status,
                                  to_status, to_payment_status, request_id,
                                  payment_event_id, inbox_id, received_payment_status, outcome, reason,
                                  refund_id, refund_status)
        VALUES (target.id, cause, request ->> 'actor', (request ->> 'party')::party, target.status, before,
                target.status, target.payment_status, request ->> 'request_id',
                event.event_id, event.id, event.payment_status, event.outcome, event.reason,
                event.refund_id, event.refund_status);
    END IF;
    IF event.reason = 'same_event' THEN
        SELECT e.outcome INTO stored FROM payment_events e WHERE e.id = event.id;
    END IF;
    RETURN json_build_object(
        'order_id', event.order_id, 'payment_status', target.payment_status, 'event_id', event.event_id,
        'stored_outcome', stored, 'is_recent', event.received_at > clock_timestamp() - interval '1 hour');
END
$$;
