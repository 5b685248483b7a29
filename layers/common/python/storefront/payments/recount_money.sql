-- Adds up the payments, refunds and disputes of an order again, after one of them changed. Returns the order.
-- The caller has locked the order.
-- is_shown: whether a response for the order shows the change. has_moved: whether money came in or went back, or
-- the processor reported it.
CREATE OR REPLACE FUNCTION recount_money(
    counted_id uuid, is_shown boolean DEFAULT false, has_moved boolean DEFAULT false
)
    RETURNS orders
    LANGUAGE plpgsql AS $$
DECLARE
    counted   orders;
    unsettled uuid[];
BEGIN
    UPDATE payments p
       SET (open_amount, refunded_amount, lost_amount, known_refunds) = (
               SELECT coalesce(sum(r.amount) FILTER (WHERE r.status IN ('requested', 'pending')), 0),
                      coalesce(sum(r.amount) FILTER (WHERE r.status = 'succeeded'), 0),
                      -- A dispute without a currency has that of its payment.
                      (SELECT coalesce(sum(CASE WHEN d.amount IS NULL OR d.currency <> p.currency THEN p.amount
                                                ELSE d.amount END), 0)
                         FROM disputes d
                        WHERE d.payment_id = p.id AND d.status = 'lost'),
                      -- What the processor counts, too. Without a reference, a refund was canceled or failed before
                      -- it got there.
                      coalesce(sum(r.amount) FILTER (
                          WHERE r.status IN ('pending', 'succeeded')
                             OR r.status IN ('canceled', 'failed') AND r.processor_reference IS NOT NULL), 0)
                 FROM refunds r
                WHERE r.payment_id = p.id)
     WHERE p.order_id = counted_id;
    UPDATE payments p SET is_settled = is_settled_payment(p) WHERE p.order_id = counted_id;
    IF EXISTS (SELECT FROM refunds r WHERE r.order_id = counted_id AND r.status = 'failed') THEN
        unsettled := unsettled_refunds(counted_id);
        UPDATE refunds r
           SET is_settled = NOT r.is_settled
         WHERE r.order_id = counted_id AND r.is_settled = (r.id = ANY (unsettled));
    END IF;

    UPDATE orders o
       SET (paid_amount, refunded_amount, lost_amount, refund_status) = (
               SELECT coalesce(sum(p.amount) FILTER (WHERE p.currency = o.currency), 0),
                      coalesce(sum(p.refunded_amount) FILTER (WHERE p.currency = o.currency), 0),
                      coalesce(sum(p.lost_amount) FILTER (WHERE p.currency = o.currency), 0),
                      CASE WHEN sum(p.open_amount) > 0 THEN 'pending'
                           WHEN coalesce(sum(p.refunded_amount), 0) = 0 THEN 'none'
                           WHEN bool_and(p.refunded_amount >= p.amount) THEN 'full'
                           ELSE 'partial' END::order_refund_status
                 FROM payments p
                WHERE p.order_id = counted_id),
           money_changes = o.money_changes + has_moved::integer,
           -- Money that needs review holds an order only until it went back.
           held_since = CASE WHEN o.status = 'pending' AND o.payment_status <> 'paid' THEN payment_hold(o.id) END,
           updated_at = CASE WHEN is_shown THEN clock_timestamp() ELSE o.updated_at END
     WHERE o.id = counted_id
    RETURNING * INTO counted;
    RETURN counted;
END
$$;
