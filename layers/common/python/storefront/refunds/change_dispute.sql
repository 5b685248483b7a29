-- Applies a dispute event to its dispute, which is added if it is new. Returns the order with its new amounts.
-- An older event can bring the amount, if the newer ones have none.
CREATE OR REPLACE FUNCTION change_dispute(event payment_events, target orders, payment payments) RETURNS orders
    LANGUAGE plpgsql AS $$
DECLARE
    named  text := coalesce(event.object_reference, '');
    before disputes;
    after  disputes;
    newest payment_events;
BEGIN
    SELECT * INTO before FROM disputes d WHERE d.payment_id = payment.id AND d.reference = named;
    SELECT * INTO newest
      FROM payment_events e
     WHERE e.order_id = target.id AND e.dispute_status IS NOT NULL AND coalesce(e.object_reference, '') = named
       -- Some events name only the order. Another payment of it can have a dispute without an ID, too.
       AND (e.payment_reference IS NULL OR e.payment_reference IN (payment.reference, event.payment_reference))
       AND (e.outcome = 'applied' OR e.reason IN ('same_status', 'older_status'))
       AND e.amount > 0 AND e.reader_reason IS DISTINCT FROM 'amount_unreadable'
     ORDER BY least(e.occurred_at, e.received_at) DESC, e.dispute_status DESC, e.id
     LIMIT 1;
    INSERT INTO disputes AS d (order_id, payment_id, reference, status, amount, currency, changed_at)
    VALUES (target.id, payment.id, named, event.dispute_status, trim_scale(newest.amount), newest.currency,
            least(event.occurred_at, event.received_at))
    ON CONFLICT (payment_id, reference) DO UPDATE
       SET (status, changed_at) = (SELECT one.status, one.changed_at
                                     FROM (VALUES (d.status, d.changed_at), (excluded.status, excluded.changed_at))
                                          AS one (status, changed_at)
                                    ORDER BY one.changed_at DESC, one.status DESC
                                    LIMIT 1),
           amount = excluded.amount, currency = excluded.currency
    RETURNING * INTO after;
    RETURN recount_money(target.id, has_moved =>
        (before.status, before.amount, before.currency) IS DISTINCT FROM (after.status, after.amount, after.currency));
END
$$;
