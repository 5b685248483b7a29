-- Times after the locks, for clients that poll, and the party that acted, for customers.
-- Counts as applied with the earlier SHA-256 91f7973450bacc51d865b1bca8079521613364db76d01dc71e3e858d7a346073.

-- now() is the time at which the transaction began. A row that then waits for a lock would be visible after later ones.
ALTER TABLE products
    ALTER COLUMN created_at SET DEFAULT clock_timestamp(),
    ALTER COLUMN updated_at SET DEFAULT clock_timestamp();
ALTER TABLE orders
    ALTER COLUMN created_at SET DEFAULT clock_timestamp(),
    ALTER COLUMN updated_at SET DEFAULT clock_timestamp();
ALTER TABLE idempotency_keys
    ALTER COLUMN created_at SET DEFAULT clock_timestamp();

CREATE TYPE party AS ENUM ('customer', 'shop', 'payment processor');
COMMENT ON TYPE party IS
'customer: a token with a customer_id
shop: any other token, a request without a token, or a scheduled run
payment processor: a payment event';

-- It has one more parameter now.
DROP FUNCTION IF EXISTS order_event_json(order_events);

ALTER TABLE order_events ADD COLUMN party party;
COMMENT ON COLUMN order_events.party IS
    'What customers see of the actor. NULL in events of releases that did not store it.';
