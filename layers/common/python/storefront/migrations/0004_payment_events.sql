-- Unreadable events, the mode and the account of events, money without an order, and payments in progress.
-- Counts as applied with the earlier SHA-256 a212b8d531ea5b6c8b4a5963649c2edd2e4ed3beef6b1cb5758852a3dd3485a9.

-- PostgreSQL cannot use the new value in the transaction that adds it. So views and indexes test the column error.
ALTER TYPE payment_event_outcome ADD VALUE 'unreadable';
COMMENT ON TYPE payment_event_outcome IS
'applied: final; the event changed the payment status of its order
duplicate: the order already had that payment status
ignored: the event requires no action
needs_refund: a payment for a canceled order
needs_review: staff must decide
unknown_order: the order was not found; a later delivery replaces the event
unreadable: the event could not be read; a later delivery replaces it';

-- Each new column can be NULL, because the previous release inserts whole rows without values for them.
ALTER TABLE payment_events
    ADD COLUMN livemode boolean,
    ADD COLUMN account text,
    ADD COLUMN payment_reference text,
    ADD COLUMN error text,
    ADD COLUMN body_is_base64 boolean,
    ADD COLUMN reader_reason text,
    DROP CONSTRAINT payment_events_other_content;
COMMENT ON COLUMN payment_events.livemode IS 'As sent: whether real money moved. NULL if unknown.';
COMMENT ON COLUMN payment_events.account IS 'As sent: the account at the processor. NULL if unknown.';
COMMENT ON COLUMN payment_events.payment_reference IS
    'The processor''s ID of the payment. Several events can be about one payment. NULL if unknown.';
COMMENT ON COLUMN payment_events.error IS
    'Why the event could not be read. NULL except where the outcome is unreadable.';
COMMENT ON COLUMN payment_events.body_is_base64 IS
    'Whether the body is stored as base64, because its bytes are not text. NULL means no.';
COMMENT ON COLUMN payment_events.reader_reason IS
    'Why the event reports no payment, before the order and the settings were compared. A replay needs it.';
COMMENT ON COLUMN payment_events.variant IS '0 for the first content under this ID. Each other content has its number.';
COMMENT ON COLUMN payment_events.reason IS 'Why the event was not applied.';

-- Events that report nothing conflict with nothing. An event with an order would need an entry in its timeline.
UPDATE payment_events SET outcome = 'ignored', reason = 'type_not_ours'
 WHERE outcome = 'needs_review' AND reason = 'other_content' AND payment_status IS NULL AND order_id IS NULL;

ALTER TABLE orders ADD COLUMN held_since timestamptz;
COMMENT ON COLUMN orders.held_since IS
    'Since when a payment in progress, or money that needs review, keeps the order from expiring. NULL if nothing does.';

-- Money that needs review holds its order, also where it arrived before this migration.
UPDATE orders o
   SET held_since = e.since
  FROM (SELECT order_id, min(received_at) AS since FROM payment_events
         WHERE outcome = 'needs_review' AND payment_status = 'paid'
         GROUP BY order_id) e
 WHERE e.order_id = o.id AND o.status = 'pending' AND o.payment_status <> 'paid';

-- The parameter shop_currency became the parameter settings.
DROP FUNCTION IF EXISTS payment_decision(payment_events, orders, text);

CREATE OR REPLACE VIEW reconciliation (kind, since, id, order_id, payment_event_id) AS
(SELECT 'paid_and_canceled', o.created_at, o.id, o.id, NULL::uuid
   FROM orders o WHERE o.status = 'canceled' AND o.payment_status = 'paid'
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'completed_and_unpaid', o.created_at, o.id, o.id, NULL
   FROM orders o WHERE o.status = 'completed' AND o.payment_status <> 'paid'
  ORDER BY o.created_at, o.id)
UNION ALL
-- The reader decides how long is too long. A held order is listed once, as held_too_long.
(SELECT 'pending_too_long', o.created_at, o.id, o.id, NULL
   FROM orders o WHERE o.status = 'pending' AND (o.held_since IS NULL OR o.payment_status = 'paid')
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'held_too_long', o.held_since, o.id, o.id, NULL
   FROM orders o WHERE o.held_since IS NOT NULL AND o.status = 'pending' AND o.payment_status <> 'paid'
  ORDER BY o.held_since, o.id)
UNION ALL
(SELECT 'paid_and_canceled', e.received_at, e.id, e.order_id, e.id
   FROM payment_events e WHERE e.outcome = 'needs_refund'
  ORDER BY e.received_at, e.id)
UNION ALL
(SELECT CASE e.reason WHEN 'other_content' THEN 'conflicting_event'
                      WHEN 'order_completed' THEN 'paid_after_completion'
                      ELSE 'amount_mismatch' END, e.received_at, e.id, e.order_id, e.id
   FROM payment_events e WHERE e.outcome = 'needs_review'
  ORDER BY e.received_at, e.id)
UNION ALL
(SELECT 'event_without_order', e.received_at, e.id, e.order_id, e.id
   FROM payment_events e WHERE e.outcome = 'unknown_order' AND e.payment_status = 'paid'
  ORDER BY e.received_at, e.id)
UNION ALL
-- Stripe reports most payments with two events, and often only one of them names the order.
(SELECT 'event_without_order', e.received_at, e.id, e.order_id, e.id
   FROM payment_events e
  WHERE e.payment_status = 'paid' AND e.reason = 'no_order_named'
    AND NOT EXISTS (SELECT FROM payment_events named
                     WHERE named.payment_reference = e.payment_reference
                       AND named.payment_status = 'paid' AND named.order_id IS NOT NULL)
  ORDER BY e.received_at, e.id)
UNION ALL
-- Several unreadable bodies can have one ID. A later delivery that could be read settles all of them.
(SELECT 'unreadable_event', e.received_at, e.id, e.order_id, e.id
   FROM payment_events e
  WHERE e.error IS NOT NULL
    AND NOT EXISTS (SELECT FROM payment_events later
                     WHERE later.event_id = e.event_id AND later.scheme = e.scheme AND later.error IS NULL
                       AND later.last_attempt_at > e.last_attempt_at
                       AND (e.order_id IS NULL OR later.order_id = e.order_id))
  ORDER BY e.received_at, e.id);
COMMENT ON VIEW reconciliation IS
'Money without goods, and goods without money: where each case is visible, and since when.
Each part has the list''s sort order and an index for it. A page merges the parts and reads none of them to the end.';
