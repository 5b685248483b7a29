-- What the functions' role may do, given anew after each migration: whatever it had besides is taken away.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :app_role;
REVOKE ALL ON SCHEMA public FROM :app_role;
REVOKE ALL ON DATABASE :database FROM :app_role;

-- No table of its own, not even a temporary one.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE CREATE, TEMPORARY ON DATABASE :database FROM PUBLIC;

GRANT CONNECT ON DATABASE :database TO :app_role;
GRANT USAGE ON SCHEMA public TO :app_role;

GRANT SELECT, INSERT, UPDATE ON products, orders, payment_events TO :app_role;
-- What was ordered, and what happened, stays as it was written.
GRANT SELECT, INSERT ON order_items, order_events, stock_movements TO :app_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO :app_role;
GRANT SELECT ON mismatches TO :app_role;
