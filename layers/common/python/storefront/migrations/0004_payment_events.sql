-- The inbox of payment events: what a processor said, and what came of it.

ALTER TYPE order_event_cause ADD VALUE 'replay';  -- somebody had a stored payment event run through again

CREATE TYPE payment_event_outcome AS ENUM (
    'applied',        -- the order's payment status moved
    'duplicate',      -- the order had that status already
    'ignored',        -- nothing follows from it
    'needs_refund',   -- paid for a canceled order
    'needs_review',   -- somebody has to look
    'unknown_order'   -- no order has that id yet; the processor was asked to send it again
);

-- Each authentic, well-formed event, once for each content that came under its id.
CREATE TABLE payment_events (
    id              uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    -- Who signed it, and whose format it has.
    scheme          text NOT NULL,
    provider        text NOT NULL,
    -- The processor's name for it, which each scheme has to itself.
    event_id        text NOT NULL,
    -- 0 for the content that came first under this name. Any other is kept beside it and never applied.
    variant         integer NOT NULL DEFAULT 0,
    type            text,
    -- Of an order that may not be there.
    order_id        uuid,
    -- What it reports; null where it reports nothing to us.
    payment_status  payment_status,
    -- In the currency's main unit, to the last digit that was sent.
    amount          numeric,
    currency        text,
    occurred_at     timestamptz,
    -- As it was signed.
    body            text NOT NULL,
    outcome         payment_event_outcome NOT NULL,
    -- Why it was not applied.
    reason          text,
    -- Deliveries and replays.
    attempts        integer NOT NULL DEFAULT 1,
    received_at     timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_attempt_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    -- Two deliveries of one event at once: the second waits here for the first.
    CONSTRAINT payment_events_once_per_content UNIQUE (event_id, scheme, variant),
    CONSTRAINT payment_events_status CHECK (payment_status <> 'unpaid'),
    CONSTRAINT payment_events_reason CHECK ((outcome = 'applied') = (reason IS NULL)),
    CONSTRAINT payment_events_other_content CHECK (variant = 0 OR outcome = 'needs_review')
);

CREATE INDEX payment_events_by_received_at ON payment_events (received_at, id);
CREATE INDEX payment_events_by_order ON payment_events (order_id, received_at, id);
CREATE INDEX payment_events_by_outcome ON payment_events (outcome, received_at, id);

-- The reconciliation's.
CREATE INDEX orders_canceled_and_paid ON orders (created_at, id) WHERE status = 'canceled' AND payment_status = 'paid';
CREATE INDEX orders_completed_and_unpaid ON orders (created_at, id)
    WHERE status = 'completed' AND payment_status <> 'paid';

-- Which row of the inbox a payment event of a timeline is, and why it did what it did.
ALTER TABLE order_events
    ADD COLUMN inbox_id uuid REFERENCES payment_events (id),
    ADD COLUMN reason text,
    -- The events that came before there was an inbox have none.
    ADD CONSTRAINT order_events_inbox_id CHECK (cause <> 'payment_event' OR inbox_id IS NOT NULL) NOT VALID;

-- Money without goods, goods without money: each with where it is to be seen, and since when. Each part has the list's
-- order and an index for it, so that a page merges them and reads none to its end.
CREATE VIEW reconciliation (kind, since, id, order_id, payment_event_id) AS
(SELECT 'paid_and_canceled', o.created_at, o.id, o.id, NULL::uuid
   FROM orders o WHERE o.status = 'canceled' AND o.payment_status = 'paid'
  ORDER BY o.created_at, o.id)
UNION ALL
(SELECT 'completed_and_unpaid', o.created_at, o.id, o.id, NULL
   FROM orders o WHERE o.status = 'completed' AND o.payment_status <> 'paid'
  ORDER BY o.created_at, o.id)
UNION ALL
-- How long is too long is for the reader to say.
(SELECT 'pending_too_long', o.created_at, o.id, o.id, NULL
   FROM orders o WHERE o.status = 'pending'
  ORDER BY o.created_at, o.id)
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
   FROM payment_events e WHERE e.outcome = 'unknown_order'
  ORDER BY e.received_at, e.id);

-- What the timelines know of the events that came before. Their bodies were not kept. The release before this one took
-- what it was sent in one scheme, and did not mind what an id had stood for before.
INSERT INTO payment_events (scheme, provider, event_id, variant, order_id, payment_status, body, outcome, reason,
                            attempts, received_at, last_attempt_at)
SELECT 'x_signature', 'storefront', payment_event_id, variant, order_id, received_payment_status, '',
       CASE WHEN variant > 0 THEN 'needs_review' ELSE outcome END::payment_event_outcome,
       CASE WHEN variant > 0 THEN 'other_content'
            WHEN outcome = 'duplicate' THEN 'same_status'
            WHEN outcome = 'needs_refund' THEN 'order_canceled'
            WHEN outcome = 'needs_review' THEN 'order_completed'
            WHEN outcome = 'ignored' THEN CASE WHEN was_paid THEN 'order_paid' ELSE 'order_not_pending' END END,
       attempts, received_at, last_attempt_at
  FROM (SELECT *, row_number() OVER (PARTITION BY payment_event_id ORDER BY received_at) - 1 AS variant
          FROM (SELECT payment_event_id, order_id, received_payment_status,
                       -- What the first delivery came to: all after it were duplicates.
                       (array_agg(outcome ORDER BY id))[1] AS outcome,
                       (array_agg(from_payment_status = 'paid' ORDER BY id))[1] AS was_paid,
                       count(*) AS attempts, min(occurred_at) AS received_at, max(occurred_at) AS last_attempt_at
                  FROM order_events
                 WHERE cause = 'payment_event' AND payment_event_id IS NOT NULL
                 GROUP BY payment_event_id, order_id, received_payment_status) contents) numbered;

-- Called by nothing since the release before this one.
DROP FUNCTION page_json(json, bigint, integer, integer);
DROP FUNCTION IF EXISTS list_products, list_orders, restock_order;
