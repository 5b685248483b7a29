-- Inserts :rows products, and as many completed and paid orders with one line item each. The data is consistent. One
-- product in ten is out of stock. The name of one in a hundred contains the word "rare". Triggers and foreign key checks
-- are off, because they would take most of the time.
SET session_replication_role = replica;

INSERT INTO products (id, name, description, price, quantity, created_at)
SELECT ('a0000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid,
       'Tea ' || n % 1000 || CASE WHEN n % 100 = 0 THEN ' rare' ELSE '' END,
       'Leaves from a garden in the hills, plucked by hand, dried on the day.',
       1 + n % 500, CASE WHEN n % 10 = 0 THEN 0 ELSE 2000000000 END, now() - n * interval '1 second'
  FROM generate_series(1, :rows) n;

INSERT INTO orders (id, customer_id, status, payment_status, total_price, paid_amount, money_changes, created_at)
SELECT ('b0000000-0000-4000-8000-' || lpad(n::text, 12, '0'))::uuid, 1 + n % 1000,
       'completed', 'paid', (1 + n % 500)::numeric(10, 2), (1 + n % 500)::numeric(10, 2), 1, now() - n * interval '1 second'
  FROM generate_series(1, :rows) n;

INSERT INTO order_items (order_id, product_id, line_number, product_name, quantity, price_at_purchase)
SELECT o.id, ('a' || substr(o.id::text, 2))::uuid, 1, 'Tea', 1, o.total_price
  FROM orders o;

INSERT INTO stock_movements (product_id, kind, delta, actor)
SELECT id, 'opening', quantity + 1, 'bench' FROM products;

INSERT INTO stock_movements (product_id, kind, delta, order_id, actor)
SELECT product_id, 'sale', -quantity, order_id, 'bench' FROM order_items;

INSERT INTO payment_events (id, scheme, provider, event_id, order_id, payment_status, body, outcome, received_at)
SELECT ('c' || substr(o.id::text, 2))::uuid, 'stripe', 'stripe', 'evt_' || o.id, o.id, 'paid', '{}', 'applied',
       o.created_at
  FROM orders o;

INSERT INTO payments (id, order_id, reference, event_scheme, amount, currency, received_at)
SELECT e.id, o.id, e.event_id, e.scheme, o.total_price, o.currency, e.received_at
  FROM payment_events e JOIN orders o ON o.id = e.order_id;

INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status)
SELECT id, 'placed', 'bench', 'pending', 'unpaid' FROM orders;

INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status, to_payment_status,
                          payment_event_id, inbox_id, received_payment_status, outcome)
SELECT order_id, 'payment_event', 'payment-processor', 'pending', 'unpaid', 'pending', 'paid', event_id, id, 'paid',
       'applied'
  FROM payment_events;

INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status, to_payment_status)
SELECT id, 'status_change', 'bench', 'pending', 'paid', 'completed', 'paid' FROM orders;

SET session_replication_role = origin;
