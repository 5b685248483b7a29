-- The money of each order: the payments that it received, and the refunds and disputes by which money went back.
-- Each new column can be NULL or has a default, because the previous release inserts rows without values for them.


-- Types ---------------------------------------------------------------------------------------------------------------

-- Events only move a refund to a later status in this list, so they can arrive in any order.
CREATE TYPE refund_status AS ENUM ('requested', 'pending', 'canceled', 'succeeded', 'failed');
COMMENT ON TYPE refund_status IS
'requested: nobody executes it yet
pending: somebody executes it, or the processor does
canceled: final, unless the processor reports that it was executed
succeeded: the money went back
failed: final; the money did not go back, or the bank returned it';

CREATE TYPE order_refund_status AS ENUM ('none', 'pending', 'partial', 'full');
COMMENT ON TYPE order_refund_status IS
'none: no money went back
pending: a refund is requested or pending
partial: some of the money went back
full: each payment went back in full';

CREATE TYPE dispute_status AS ENUM ('open', 'won', 'lost');
COMMENT ON TYPE dispute_status IS
'open: the customer disputes a payment at their bank
won: the shop keeps the money
lost: the money went back to the customer';

CREATE DOMAIN positive_amount AS numeric
    CONSTRAINT positive_amount_positive CHECK (VALUE > 0);
COMMENT ON DOMAIN positive_amount IS 'In the main unit of the currency, with all digits that were sent.';

-- PostgreSQL cannot use the new values in the transaction that adds them.
ALTER TYPE order_event_cause ADD VALUE 'refund';
ALTER TYPE order_event_cause ADD VALUE 'acknowledgement';
COMMENT ON TYPE order_event_cause IS
'placed: always the first event of an order
status_change: a caller completed or canceled the order
payment_event: a processor reported a payment, a refund or a dispute; the outcome says what it changed
replay: a caller processed a stored payment event again
expiry: the order was not paid in time
note: staff wrote a note
erasure: the customer''s personal data was erased
refund: a caller requested a refund, or set its status
acknowledgement: a caller dismissed an entry of the reconciliation; the reason is its kind';

ALTER TYPE stock_movement_kind ADD VALUE 'return';
COMMENT ON TYPE stock_movement_kind IS
'opening: the stock of a new product
sale: an order took stock
restock: a canceled order returned its stock
adjustment: a caller corrected the stock or set the quantity
return: a refund returned units of an order';

CREATE OR REPLACE FUNCTION is_stock_movement(kind stock_movement_kind, delta bigint, order_id uuid, reason text)
    RETURNS boolean
    LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    RETURN CASE kind
        WHEN 'opening' THEN delta >= 0 AND order_id IS NULL AND reason IS NULL
        WHEN 'sale' THEN delta < 0 AND order_id IS NOT NULL AND reason IS NULL
        WHEN 'restock' THEN delta > 0 AND order_id IS NOT NULL AND reason IS NULL
        WHEN 'adjustment' THEN delta <> 0 AND order_id IS NULL AND reason IS NOT NULL
        WHEN 'return' THEN delta > 0 AND order_id IS NULL AND reason IS NULL
        -- Without it, a new kind would give NULL, which a CHECK accepts.
        ELSE false
        END;
END
$$;


-- Orders --------------------------------------------------------------------------------------------------------------

ALTER TABLE orders
    ADD COLUMN paid_amount numeric NOT NULL DEFAULT 0,
    ADD COLUMN refunded_amount numeric NOT NULL DEFAULT 0,
    ADD COLUMN lost_amount numeric NOT NULL DEFAULT 0,
    ADD COLUMN refund_status order_refund_status NOT NULL DEFAULT 'none',
    ADD COLUMN money_changes integer NOT NULL DEFAULT 0;
COMMENT ON COLUMN orders.paid_amount IS 'The sum of the payments in the order''s currency.';
COMMENT ON COLUMN orders.refunded_amount IS 'The sum of the refunds in the order''s currency that succeeded.';
COMMENT ON COLUMN orders.lost_amount IS 'The sum of the lost disputes of payments in the order''s currency.';
COMMENT ON COLUMN orders.refund_status IS 'It follows from the refunds.';
COMMENT ON COLUMN orders.money_changes IS
    'How often money came in or went back, or the processor reported it. An acknowledgement covers the changes until then.';


-- Payments ------------------------------------------------------------------------------------------------------------

CREATE TABLE payments (
    id               uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id         uuid,
    reference        text,
    event_scheme     text NOT NULL DEFAULT '',
    amount           positive_amount,
    currency         text,
    reason           text,
    open_amount      numeric NOT NULL DEFAULT 0,
    refunded_amount  numeric NOT NULL DEFAULT 0,
    lost_amount      numeric NOT NULL DEFAULT 0,
    known_refunds    numeric NOT NULL DEFAULT 0,
    reported_refunds numeric NOT NULL DEFAULT 0,
    is_settled       boolean NOT NULL DEFAULT true,
    received_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT payments_once_per_reference UNIQUE (reference, event_scheme)
);
COMMENT ON TABLE payments IS
'Money that a processor reported as received, once for each reference. A row without an order is a payment that a refund
or a dispute named, but that was not reported yet.';
COMMENT ON COLUMN payments.id IS 'The ID of the payment event that first reported it.';
COMMENT ON COLUMN payments.order_id IS
    'Without a foreign key, which each payment would pay for: the order is locked. The audit has the rule.';
COMMENT ON COLUMN payments.reference IS
    'The processor''s ID of the payment, or the ID of its event. NULL if the event had neither.';
COMMENT ON COLUMN payments.event_scheme IS
    'If the reference is the ID of an event: its scheme, because each scheme has its own IDs. Otherwise empty.';
COMMENT ON COLUMN payments.reason IS 'Why the payment does not simply pay the order. NULL if it does.';
COMMENT ON COLUMN payments.open_amount IS 'The sum of its refunds that are requested or pending.';
COMMENT ON COLUMN payments.refunded_amount IS 'The sum of its refunds that succeeded.';
COMMENT ON COLUMN payments.lost_amount IS 'The sum of its disputes that were lost.';
COMMENT ON COLUMN payments.known_refunds IS 'The sum of its refunds that the processor has: pending, succeeded or failed.';
COMMENT ON COLUMN payments.reported_refunds IS 'The largest total of refunds that the processor reported. Only compared.';
COMMENT ON COLUMN payments.is_settled IS
    'False if the reconciliation may list the payment. It follows from the other columns.';
COMMENT ON INDEX payments_once_per_reference IS
    'The last guard against counting a payment twice. A refund and its payment that arrive together wait here.';

CREATE INDEX payments_by_order ON payments (order_id, received_at, id);
-- On a column, because PostgreSQL plans the condition of an index again for each statement that writes a row.
CREATE INDEX payments_to_settle ON payments (received_at, id) WHERE NOT is_settled;
COMMENT ON INDEX payments_by_order IS 'list_payments, and the payments of an order that changes';
COMMENT ON INDEX payments_to_settle IS
    'paid_and_canceled, paid_twice, paid_after_completion, amount_mismatch and over_refunded in reconciliation';


-- Refunds -------------------------------------------------------------------------------------------------------------

CREATE TABLE refunds (
    id                  uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id            uuid NOT NULL REFERENCES orders (id),
    payment_id          uuid NOT NULL REFERENCES payments (id),
    amount              positive_amount NOT NULL,
    currency            text NOT NULL,
    status              refund_status NOT NULL,
    reason              note,
    processor_reference text,
    actor               text NOT NULL,
    is_settled          boolean NOT NULL DEFAULT true,
    requested_at        timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT refunds_once_per_reference UNIQUE (payment_id, processor_reference)
);
COMMENT ON TABLE refunds IS
    'Money that goes back: requested here, or made at the processor. Executed elsewhere, and confirmed by events.';
COMMENT ON COLUMN refunds.reason IS 'Why, in the words of staff. NULL if none was given, or after an erasure.';
COMMENT ON COLUMN refunds.processor_reference IS 'The processor''s ID of the refund. NULL if unknown.';
COMMENT ON COLUMN refunds.actor IS 'Who requested it. payment-processor if it was made there.';
COMMENT ON COLUMN refunds.is_settled IS
    'False if it failed, and nothing made up for it. It follows from the refunds of the order.';
COMMENT ON INDEX refunds_once_per_reference IS
    'The last guard against counting a refund twice. Also reads the refunds of a payment.';
ALTER TABLE refunds ALTER COLUMN reason SET STATISTICS 0;

CREATE INDEX refunds_by_order ON refunds (order_id, requested_at, id);
CREATE INDEX refunds_by_status ON refunds (status, requested_at, id);
CREATE INDEX refunds_by_requested_at ON refunds (requested_at, id);
CREATE INDEX refunds_open ON refunds (requested_at, id) WHERE status IN ('requested', 'pending');
CREATE INDEX refunds_to_settle ON refunds (updated_at, id) WHERE NOT is_settled;
COMMENT ON INDEX refunds_by_order IS 'list_refunds of an order';
COMMENT ON INDEX refunds_by_status IS 'list_refunds, status';
COMMENT ON INDEX refunds_by_requested_at IS 'list_refunds';
COMMENT ON INDEX refunds_open IS 'refund_stuck in reconciliation';
COMMENT ON INDEX refunds_to_settle IS 'refund_failed in reconciliation';

CREATE TABLE refund_lines (
    refund_id     uuid NOT NULL REFERENCES refunds (id),
    order_item_id uuid NOT NULL REFERENCES order_items (id),
    restock       boolean NOT NULL,
    quantity      positive_integer NOT NULL,
    PRIMARY KEY (refund_id, order_item_id, restock)
);
COMMENT ON TABLE refund_lines IS 'The units that a refund is for. Never changed.';
COMMENT ON COLUMN refund_lines.restock IS 'Whether the units returned to the stock.';
CREATE INDEX refund_lines_restocked ON refund_lines (order_item_id) WHERE restock;
COMMENT ON INDEX refund_lines_restocked IS 'The units of a line item that were returned already.';

CREATE TABLE disputes (
    id         uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    order_id   uuid NOT NULL REFERENCES orders (id),
    payment_id uuid NOT NULL REFERENCES payments (id),
    reference  text NOT NULL DEFAULT '',
    status     dispute_status NOT NULL,
    amount     positive_amount,
    currency   text,
    opened_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
    changed_at timestamptz NOT NULL,
    CONSTRAINT disputes_once_per_reference UNIQUE (payment_id, reference)
);
COMMENT ON TABLE disputes IS 'Payments that a customer disputes at their bank. A dispute never changes an order.';
COMMENT ON COLUMN disputes.reference IS 'The processor''s ID of the dispute. Empty if the event had none.';
COMMENT ON COLUMN disputes.amount IS 'NULL if unknown: then the whole payment.';
COMMENT ON COLUMN disputes.opened_at IS 'When its first event arrived.';
COMMENT ON COLUMN disputes.changed_at IS 'The processor''s time of the newest event.';
COMMENT ON INDEX disputes_once_per_reference IS 'Also reads the disputes of a payment.';
CREATE INDEX disputes_open ON disputes (opened_at, id) WHERE status = 'open';
COMMENT ON INDEX disputes_open IS 'disputed in reconciliation';


-- What the other tables say about it ----------------------------------------------------------------------------------

-- The audit has the rules of these two checks. PostgreSQL would plan them again for each event.
ALTER TABLE payment_events
    DROP CONSTRAINT payment_events_status,
    DROP CONSTRAINT payment_events_reason,
    ADD COLUMN is_named boolean,
    ADD COLUMN refund_id uuid,
    ADD COLUMN refund_status refund_status,
    ADD COLUMN dispute_status dispute_status;
COMMENT ON COLUMN payment_events.is_named IS
    'Whether event_id came from the processor. Otherwise, it is the SHA-256 of the body. NULL in events of earlier releases.';
COMMENT ON COLUMN payment_events.order_id IS
    'As sent, or the order of the payment that the event is about. Not a foreign key: the order may not exist.';
COMMENT ON COLUMN payment_events.refund_id IS
    'As sent, or the refund that the event is about. Not a foreign key: the refund may not exist.';
COMMENT ON COLUMN payment_events.refund_status IS 'What the event reports about a refund. NULL where it reports none.';
COMMENT ON COLUMN payment_events.dispute_status IS 'What the event reports about a dispute. NULL where it reports none.';

-- Without foreign keys: PostgreSQL runs a query for each of them and each row, 3 % of the instructions of a payment event.
-- The statement that writes the row has locked its order, or adds it. The audit has the rules.
ALTER TABLE order_events
    DROP CONSTRAINT order_events_order_id_fkey,
    DROP CONSTRAINT order_events_inbox_id_fkey,
    ADD COLUMN refund_id uuid,
    ADD COLUMN refund_status refund_status;
COMMENT ON COLUMN order_events.note IS 'The text of a note or of an acknowledgement. NULL after it was erased.';
COMMENT ON COLUMN order_events.refund_id IS 'The refund that the event is about.';
COMMENT ON COLUMN order_events.refund_status IS 'What a caller set, or what a payment event reported.';

ALTER TABLE stock_movements ADD COLUMN refund_id uuid;
COMMENT ON COLUMN stock_movements.order_id IS
    'Only of a sale or a restock. A return has a refund instead, because an order can have several returns.';
COMMENT ON COLUMN stock_movements.refund_id IS 'Only of a return.';


-- Reconciliation ------------------------------------------------------------------------------------------------------

CREATE TABLE acknowledgements (
    kind            text NOT NULL,
    entry_id        uuid NOT NULL,
    money_changes   integer NOT NULL,
    order_id        uuid REFERENCES orders (id),
    note            note,
    actor           text NOT NULL,
    idempotency_key text,
    acknowledged_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (kind, entry_id, money_changes)
);
COMMENT ON TABLE acknowledgements IS 'Entries of the reconciliation that staff dismissed.';
COMMENT ON COLUMN acknowledgements.money_changes IS
    'Those of the order at that time. After another change, the entry is listed again.';
COMMENT ON COLUMN acknowledgements.note IS 'Why, in the words of staff. NULL after an erasure.';
CREATE INDEX acknowledgements_by_order ON acknowledgements (order_id) WHERE order_id IS NOT NULL;
CREATE INDEX acknowledgements_by_entry ON acknowledgements (entry_id) WHERE order_id IS NULL;
COMMENT ON INDEX acknowledgements_by_order IS 'erase_personal_data';
COMMENT ON INDEX acknowledgements_by_entry IS 'erase_acknowledgements';
ALTER TABLE acknowledgements ALTER COLUMN note SET STATISTICS 0;

-- A mismatch with a payment is listed by its payment, and ends when the money adds up. An event without a payment of its
-- own is listed until staff acknowledge it. Money that must go back is listed while a refund is only requested, because
-- somebody has to make it. While it is pending, nobody has to act: refund_stuck and refund_failed list what goes wrong.
CREATE OR REPLACE VIEW reconciliation
    (kind, since, id, order_id, payment_event_id, payment_id, refund_id, dispute_id, money_changes) AS
(SELECT 'paid_and_canceled', o.created_at, o.id, o.id, NULL::uuid, NULL::uuid, NULL::uuid, NULL::uuid,
        o.money_changes
   FROM orders o
  WHERE o.status = 'canceled' AND o.payment_status = 'paid' AND o.refund_status <> 'full'
    AND o.paid_amount - o.refunded_amount - o.lost_amount > CASE WHEN o.refund_status = 'pending' THEN
            (SELECT coalesce(sum(r.amount), 0) FROM refunds r
              WHERE r.order_id = o.id AND r.status = 'pending' AND r.currency = o.currency) ELSE 0 END
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'completed_and_unpaid', o.created_at, o.id, o.id, NULL, NULL, NULL, NULL, o.money_changes
   FROM orders o
  WHERE o.status = 'completed' AND o.payment_status <> 'paid'
    -- A part that went back later was paid: whoever refunds a part decided that.
    AND (o.paid_amount < o.total_price OR o.paid_amount <= o.refunded_amount + o.lost_amount)
  ORDER BY o.created_at, o.id)
UNION ALL
-- The reader decides how long is too long. A held order is listed once, as held_too_long.
(SELECT 'pending_too_long', o.created_at, o.id, o.id, NULL, NULL, NULL, NULL, o.money_changes
   FROM orders o WHERE o.status = 'pending' AND (o.held_since IS NULL OR o.payment_status = 'paid')
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'held_too_long', o.held_since, o.id, o.id, NULL, NULL, NULL, NULL, o.money_changes
   FROM orders o WHERE o.held_since IS NOT NULL AND o.status = 'pending' AND o.payment_status <> 'paid'
  ORDER BY o.held_since, o.id)
UNION ALL
(SELECT CASE WHEN NOT due.is_due THEN 'amount_mismatch'
             WHEN p.reason = 'order_canceled' THEN 'paid_and_canceled'
             WHEN p.reason = 'order_completed' THEN 'paid_after_completion'
             WHEN p.reason = 'paid_twice' THEN 'paid_twice'
             ELSE 'amount_mismatch' END, p.received_at, p.id, p.order_id, p.id, p.id, NULL, NULL,
        o.money_changes
   FROM payments p
   JOIN orders o ON o.id = p.order_id
  CROSS JOIN LATERAL (
        SELECT coalesce(sum(r.amount) FILTER (WHERE r.payment_id = p.id), 0) AS of_payment,
               coalesce(sum(r.amount) FILTER (WHERE r.currency = o.currency), 0) AS of_order
          FROM refunds r
         WHERE o.refund_status = 'pending' AND r.order_id = o.id AND r.status = 'pending') under_way
  CROSS JOIN LATERAL (
        SELECT o.paid_amount - o.refunded_amount - o.lost_amount - under_way.of_order AS amount) kept
  CROSS JOIN LATERAL (
        SELECT p.reason IS NOT NULL AND p.refunded_amount + p.lost_amount + under_way.of_payment < p.amount
           -- Unless the money of the whole order adds up. After a completion without payment, only staff know that.
           AND (p.reason = 'order_completed' OR p.currency <> o.currency
                OR CASE WHEN o.status = 'canceled' THEN kept.amount > 0
                        WHEN o.payment_status = 'paid' THEN kept.amount > o.total_price
                        WHEN o.status = 'completed' THEN kept.amount <> o.total_price
                        ELSE true END) AS is_due) due
  WHERE NOT p.is_settled AND (due.is_due OR p.reported_refunds > p.known_refunds)
  ORDER BY p.received_at, p.id)
UNION ALL
(SELECT 'over_refunded', p.received_at, p.id, p.order_id, NULL, p.id, NULL, NULL,
        (SELECT o.money_changes FROM orders o WHERE o.id = p.order_id)
   FROM payments p WHERE NOT p.is_settled AND p.open_amount + p.refunded_amount + p.lost_amount > p.amount
  ORDER BY p.received_at, p.id)
UNION ALL
(SELECT 'refund_failed', r.updated_at, r.id, r.order_id, NULL, r.payment_id, r.id, NULL,
        (SELECT o.money_changes FROM orders o WHERE o.id = r.order_id)
   FROM refunds r WHERE NOT r.is_settled
  ORDER BY r.updated_at, r.id)
UNION ALL
-- The reader decides how long is too long.
(SELECT 'refund_stuck', r.requested_at, r.id, r.order_id, NULL, r.payment_id, r.id, NULL,
        (SELECT o.money_changes FROM orders o WHERE o.id = r.order_id)
   FROM refunds r WHERE r.status IN ('requested', 'pending')
  ORDER BY r.requested_at, r.id)
UNION ALL
(SELECT 'disputed', d.opened_at, d.id, d.order_id, NULL, d.payment_id, NULL, d.id,
        (SELECT o.money_changes FROM orders o WHERE o.id = d.order_id)
   FROM disputes d WHERE d.status = 'open'
  ORDER BY d.opened_at, d.id)
UNION ALL
(SELECT 'paid_and_canceled', e.received_at, e.id, e.order_id, e.id, NULL, NULL, NULL,
        coalesce((SELECT o.money_changes FROM orders o WHERE o.id = e.order_id), 0)
   FROM payment_events e
  WHERE e.outcome = 'needs_refund' AND coalesce(e.reader_reason, e.reason) = 'amount_unreadable'
    -- Unless another event reported the amount. In a CASE, so that PostgreSQL looks only at the events of a page.
    AND CASE WHEN e.payment_reference IS NOT NULL THEN NOT EXISTS (
            SELECT FROM payments p
             WHERE p.reference = e.payment_reference AND p.event_scheme = '' AND p.order_id = e.order_id) ELSE true END
  ORDER BY e.received_at, e.id)
UNION ALL
(SELECT CASE e.reason WHEN 'other_content' THEN 'conflicting_event' ELSE 'amount_mismatch' END,
        e.received_at, e.id, e.order_id, e.id, NULL, NULL, NULL,
        coalesce((SELECT o.money_changes FROM orders o WHERE o.id = e.order_id), 0)
   FROM payment_events e
  WHERE e.outcome = 'needs_review'
    AND (e.payment_status IS NULL OR coalesce(e.reader_reason, e.reason) = 'amount_unreadable'
         OR coalesce(e.amount, 0) <= 0 AND e.reason = 'amount_differs'
         OR e.reason IN ('other_content', 'payment_changed', 'payment_of_other_order'))
    -- Until another event reports it so that it can be read, or the payment whose amount changed went back.
    AND CASE
        -- A changed amount without any reference is of the first payment.
        WHEN e.reason = 'payment_changed' AND e.payment_reference IS NULL
            THEN (SELECT p.refunded_amount + p.lost_amount < p.amount FROM payments p WHERE p.order_id = e.order_id
                   ORDER BY p.received_at, p.id LIMIT 1)
        WHEN e.payment_status = 'paid' AND e.reason IN ('amount_unreadable', 'amount_differs', 'payment_changed')
            THEN NOT EXISTS (SELECT FROM payments p
                              WHERE p.reference = e.payment_reference AND p.event_scheme = '' AND p.order_id = e.order_id
                                AND (e.reason <> 'payment_changed' OR p.refunded_amount + p.lost_amount >= p.amount))
        WHEN e.refund_status IS NOT NULL AND e.reason NOT IN ('other_content', 'refund_set_to_failed')
            THEN NOT EXISTS (SELECT FROM refunds r
                              WHERE r.order_id = e.order_id AND r.processor_reference = e.object_reference
                                AND r.status >= e.refund_status)
        ELSE true END
  ORDER BY e.received_at, e.id)
UNION ALL
(SELECT 'event_without_order', e.received_at, e.id, e.order_id, e.id, NULL, NULL, NULL,
        coalesce((SELECT o.money_changes FROM orders o WHERE o.id = e.order_id), 0)
   FROM payment_events e WHERE e.outcome = 'unknown_order' AND e.payment_status = 'paid'
  ORDER BY e.received_at, e.id)
UNION ALL
-- Stripe reports most payments with two events, and often only one of them names the order.
(SELECT 'event_without_order', e.received_at, e.id, e.order_id, e.id, NULL, NULL, NULL,
        coalesce((SELECT o.money_changes FROM orders o WHERE o.id = e.order_id), 0)
   FROM payment_events e
  WHERE e.payment_status = 'paid' AND e.reason = 'no_order_named'
    AND NOT EXISTS (SELECT FROM payment_events named
                     WHERE named.payment_reference = e.payment_reference
                       AND named.payment_status = 'paid' AND named.order_id IS NOT NULL)
  ORDER BY e.received_at, e.id)
UNION ALL
-- Several unreadable bodies can have one ID. A later delivery that could be read settles all of them.
(SELECT 'unreadable_event', e.received_at, e.id, e.order_id, e.id, NULL, NULL, NULL,
        coalesce((SELECT o.money_changes FROM orders o WHERE o.id = e.order_id), 0)
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

CREATE TABLE payment_completion (received_at, id) AS
    VALUES (timestamptz '-infinity', uuid '00000000-0000-0000-0000-000000000000');
COMMENT ON TABLE payment_completion IS
    'The last payment event for which a deployment added the payment that an earlier release did not store.';
