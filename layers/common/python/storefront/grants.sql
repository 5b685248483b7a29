-- What the functions' role may do, given anew after each migration: whatever it had besides is taken away.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :app_role, PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM :app_role, PUBLIC;
REVOKE ALL ON SCHEMA public FROM :app_role;
REVOKE ALL ON DATABASE :database FROM :app_role;

-- No table of its own, not even a temporary one.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE CREATE, TEMPORARY ON DATABASE :database FROM PUBLIC;

GRANT CONNECT ON DATABASE :database TO :app_role;
GRANT USAGE ON SCHEMA public TO :app_role;

-- What was ordered, and what happened, stays as it was written; of the rest, what requests change.
GRANT SELECT, INSERT ON products, orders, payment_events TO :app_role;
GRANT UPDATE (name, description, price, quantity, updated_at, deleted_at) ON products TO :app_role;
GRANT UPDATE (status, payment_status, updated_at) ON orders TO :app_role;
GRANT UPDATE (provider, type, order_id, payment_status, amount, currency, occurred_at, body, outcome, reason, attempts,
              last_attempt_at) ON payment_events TO :app_role;
GRANT SELECT, INSERT ON order_items, order_events, stock_movements TO :app_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO :app_role;
GRANT SELECT ON reconciliation TO :app_role;
