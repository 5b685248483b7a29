-- Sample data for a new database. The IDs are fixed, because the documents and events/ contain them.

INSERT INTO products (id, sku, name, description, price, quantity, created_at) VALUES
    ('a0000000-0000-4000-8000-000000000001', 'MUG-350-W', 'Enamel Mug',
     'White enamel on steel, 350 ml, blue rim.', 14.50, 120, now() - interval '1 minutes'),
    ('a0000000-0000-4000-8000-000000000002', 'TOWEL-50-70', 'Linen Tea Towel',
     'Stone-washed linen, 50 x 70 cm.', 12.00, 80, now() - interval '2 minutes'),
    ('a0000000-0000-4000-8000-000000000003', 'BOARD-40', 'Walnut Chopping Board',
     'End grain, oiled, 40 x 25 cm.', 59.90, 15, now() - interval '3 minutes'),
    ('a0000000-0000-4000-8000-000000000004', 'SKILLET-26', 'Cast Iron Skillet',
     'Pre-seasoned, 26 cm, for any hob.', 44.95, 30, now() - interval '4 minutes'),
    ('a0000000-0000-4000-8000-000000000005', 'KETTLE-1L', 'Pour-Over Kettle',
     'Gooseneck, 1 litre, with a thermometer in the lid.', 72.00, 12, now() - interval '5 minutes'),
    ('a0000000-0000-4000-8000-000000000006', 'CANDLE-40H', 'Beeswax Candle',
     'Hand-poured, burns for 40 hours.', 9.99, 200, now() - interval '6 minutes'),
    ('a0000000-0000-4000-8000-000000000007', 'BOWL-2ND', 'Stoneware Bowl, second choice',
     'The last one, with a small speck in the glaze.', 7.25, 1, now() - interval '7 minutes'),
    ('a0000000-0000-4000-8000-000000000008', 'MILL-CU', 'Copper Pepper Mill',
     'Ceramic grinder. Back in stock soon.', 38.40, 0, now() - interval '8 minutes');

-- Orders for the examples: one to pay and complete, one to cancel, one with a wrong payment. The last one is for the
-- command that `make run` prints at the start.
INSERT INTO orders (id, customer_id, total_price, reference, email, charges, shipping_address, note, metadata) VALUES
    ('b0000000-0000-4000-8000-000000000001', 12345, 29.00, 'WEB-5001', 'ada@example.com', NULL,
     '{"name": "Ada Example", "company": null, "line1": "1 Example Street", "line2": null, "city": "Berlin",
       "region": null, "postal_code": "10115", "country": "DE", "phone": null}', 'Please ring twice.', NULL),
    ('b0000000-0000-4000-8000-000000000002', 12345, 69.70, 'WEB-5002', 'ada@example.com',
     '[{"kind": "shipping", "label": "Insured parcel", "amount": "4.90"},
       {"kind": "discount", "label": "WELCOME10", "amount": "-7.20"}]',
     '{"name": "Ada Example", "company": null, "line1": "1 Example Street", "line2": null, "city": "Berlin",
       "region": null, "postal_code": "10115", "country": "DE", "phone": null}', NULL, '{"channel": "app"}'),
    ('b0000000-0000-4000-8000-000000000003', 67890, 24.00, 'WEB-5003', 'Grace+shop@example.org',
     '[{"kind": "shipping", "label": "Parcel", "amount": "4.90"},
       {"kind": "discount", "label": "Free shipping", "amount": "-4.90"}]',
     '{"name": "Grace Muster", "company": "Muster AG", "line1": "Musterweg 2", "line2": "c/o Beispiel", "city": "Zürich",
       "region": "ZH", "postal_code": "8001", "country": "CH", "phone": "+41 44 000 00 00"}', NULL, NULL),
    ('b0000000-0000-4000-8000-000000000004', 24680, 19.98, NULL, '太郎@例え.example', NULL,
     '{"name": "例文 太郎", "company": null, "line1": "例町1-2-3", "line2": null, "city": "東京", "region": null,
       "postal_code": "100-0001", "country": "JP", "phone": null}', '👍', NULL);

INSERT INTO order_items (order_id, product_id, line_number, sku, product_name, quantity, price_at_purchase)
SELECT ordered.order_id::uuid, p.id, 1, p.sku, p.name, ordered.quantity, p.price
  FROM (VALUES
    ('b0000000-0000-4000-8000-000000000001', 'a0000000-0000-4000-8000-000000000001', 2),
    ('b0000000-0000-4000-8000-000000000002', 'a0000000-0000-4000-8000-000000000005', 1),
    ('b0000000-0000-4000-8000-000000000003', 'a0000000-0000-4000-8000-000000000002', 2),
    ('b0000000-0000-4000-8000-000000000004', 'a0000000-0000-4000-8000-000000000006', 2)
  ) ordered (order_id, product_id, quantity)
  JOIN products p ON p.id = ordered.product_id::uuid;

INSERT INTO order_events (order_id, cause, actor, to_status, to_payment_status)
SELECT id, 'placed', 'sample-data', status, payment_status FROM orders ORDER BY id;

INSERT INTO stock_movements (product_id, kind, delta, quantity, actor, occurred_at)
SELECT p.id, 'opening', opening.quantity, opening.quantity, 'sample-data', p.created_at
  FROM products p,
       LATERAL (SELECT p.quantity + coalesce(sum(item.quantity), 0) FROM order_items item
                 WHERE item.product_id = p.id) opening (quantity)
 ORDER BY p.id;

INSERT INTO stock_movements (product_id, kind, delta, quantity, order_id, actor)
SELECT item.product_id, 'sale', -item.quantity,
       -- What is left, and what later orders take.
       p.quantity + sum(item.quantity) OVER (PARTITION BY p.id ORDER BY item.order_id DESC) - item.quantity,
       item.order_id, 'sample-data'
  FROM order_items item
  JOIN products p ON p.id = item.product_id
 ORDER BY item.order_id;

-- A payment that is one dollar too low, and so needs review.
INSERT INTO payment_events (id, scheme, provider, event_id, order_id, payment_status, amount, currency, body, outcome,
                            reason)
VALUES ('c0000000-0000-4000-8000-000000000001', 'x_signature', 'storefront', 'evt_sample',
        'b0000000-0000-4000-8000-000000000003', 'paid', 23.00, 'USD',
        '{"order_id": "b0000000-0000-4000-8000-000000000003", "payment_status": "paid", "event_id": "evt_sample", '
        '"amount": "23.00", "currency": "USD"}', 'needs_review', 'amount_differs');

INSERT INTO payments (id, order_id, reference, event_scheme, amount, currency, reason, received_at)
SELECT id, order_id, event_id, scheme, amount, currency, reason, received_at FROM payment_events;

-- A refund that nobody has made yet.
INSERT INTO refunds (id, order_id, payment_id, amount, currency, status, reason, actor)
SELECT 'd0000000-0000-4000-8000-000000000001', order_id, id, 3.00, currency, 'requested', 'A cup was broken.',
       'sample-data'
  FROM payments;

-- The payment holds its order.
SELECT recount_money(order_id, has_moved => true) FROM payments;

INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status, to_payment_status,
                          payment_event_id, inbox_id, received_payment_status, outcome, reason)
SELECT order_id, 'payment_event', 'payment-processor', 'pending', 'unpaid', 'pending', 'unpaid',
       event_id, id, payment_status, outcome, reason
  FROM payment_events;

INSERT INTO order_events (order_id, cause, actor, from_status, from_payment_status, to_status, to_payment_status,
                          refund_id, refund_status)
SELECT order_id, 'refund', actor, 'pending', 'unpaid', 'pending', 'unpaid', id, status FROM refunds;
