-- The privileges of the functions' role, set again after each migration. Privileges granted by hand are revoked.

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM :app_role, PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM :app_role, PUBLIC;
REVOKE ALL ON SCHEMA public FROM :app_role;
REVOKE ALL ON DATABASE :database FROM :app_role;

-- The role creates no tables, not even temporary ones.
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
REVOKE CREATE, TEMPORARY ON DATABASE :database FROM PUBLIC;

GRANT CONNECT ON DATABASE :database TO :app_role;
GRANT USAGE ON SCHEMA public TO :app_role;

-- Line items, the ledger and the lines of refunds never change. In the timeline, a trigger lets only the text of a note
-- be erased. In the other tables, only the columns change that requests change.
GRANT SELECT, INSERT ON products, orders, payment_events TO :app_role;
GRANT UPDATE (status, payment_status, paid_amount, refunded_amount, lost_amount, refund_status, money_changes,
              held_since, updated_at, email, shipping_address, billing_address, note, metadata,
              personal_data_erased_at)
    ON orders TO :app_role;
GRANT UPDATE (note) ON order_events TO :app_role;
GRANT UPDATE (provider, type, order_id, payment_status, amount, currency, occurred_at, livemode, account,
              payment_reference, object_reference, is_named, refund_id, refund_status, dispute_status, error, body,
              body_is_base64, body_is_cut, outcome, reason, reader_reason, attempts, last_attempt_at)
    ON payment_events TO :app_role;
GRANT SELECT, INSERT ON payments, refunds, disputes, acknowledgements TO :app_role;
-- An event can name a payment before the payment is reported.
GRANT UPDATE (id, order_id, amount, currency, reason, open_amount, refunded_amount, lost_amount, known_refunds,
              reported_refunds, is_settled, received_at)
    ON payments TO :app_role;
GRANT UPDATE (amount, status, reason, processor_reference, is_settled, requested_at, updated_at) ON refunds TO :app_role;
GRANT UPDATE (status, amount, currency, changed_at) ON disputes TO :app_role;
GRANT UPDATE (note) ON acknowledgements TO :app_role;
GRANT SELECT, INSERT ON order_items, order_events, stock_movements, refund_lines TO :app_role;
GRANT SELECT, INSERT, UPDATE (received) ON ignored_events TO :app_role;
GRANT SELECT, INSERT, UPDATE, DELETE ON idempotency_keys TO :app_role;
GRANT SELECT ON reconciliation TO :app_role;
-- For nextval. The role cannot set a sequence back.
GRANT USAGE ON SEQUENCE order_numbers TO :app_role;

-- Nothing uses large objects, and everybody may create them by default. Only their owner can revoke that, which is an
-- administrator. On RDS, the owner of a database is none.
DO $$
DECLARE
    name regprocedure;
BEGIN
    FOR name IN SELECT oid FROM pg_proc
                 WHERE pronamespace = 'pg_catalog'::regnamespace AND pg_has_role(current_user, proowner, 'USAGE')
                   AND proname IN ('lo_creat', 'lo_create', 'lo_from_bytea', 'lo_put', 'lo_open', 'lowrite', 'lo_truncate',
                                   'lo_truncate64', 'lo_unlink') LOOP
        EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', name);
    END LOOP;
END
$$;

-- PUT may change each field of a product, so new columns need no entry here. A column that must never change does.
DO $$
DECLARE
    columns text := (SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute
                      WHERE attrelid = 'products'::regclass AND attnum > 0 AND NOT attisdropped
                        AND attgenerated = '' AND attname NOT IN ('id', 'created_at', 'folded_name', 'name_words'));
BEGIN
    EXECUTE 'GRANT UPDATE (' || columns || $grant$) ON products TO :app_role$grant$;
END
$$;
