-- Erases the personal data of a customer: in the orders, in the texts of staff, in the stored responses to retries, and
-- in the bodies of payment events. The books stay.
-- Outcome: erased, with the number of the customer's orders. A repetition changes only what was added meanwhile.
CREATE OR REPLACE FUNCTION erase_personal_data(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    ids     uuid[];
    touched uuid[];
BEGIN
    -- Orders are locked before anything else, in the order of their IDs. So each other change of them either waits, or
    -- is visible to the statements below.
    SELECT array_agg(locked.id) INTO ids
      FROM (SELECT o.id FROM orders o WHERE o.customer_id = (request ->> 'customer_id')::integer
             ORDER BY o.id FOR NO KEY UPDATE) locked;

    touched := erase_bodies_of_orders(ids);
    WITH erased AS (
        UPDATE order_events e SET note = NULL WHERE e.order_id = ANY (ids) AND e.note IS NOT NULL RETURNING e.order_id
    )
    SELECT touched || array_agg(e.order_id) INTO touched FROM erased e;
    WITH erased AS (
        UPDATE refunds r SET reason = NULL WHERE r.order_id = ANY (ids) AND r.reason IS NOT NULL RETURNING r.order_id
    )
    SELECT touched || array_agg(e.order_id) INTO touched FROM erased e;
    WITH erased AS (
        UPDATE acknowledgements a SET note = NULL WHERE a.order_id = ANY (ids) AND a.note IS NOT NULL RETURNING a.order_id
    )
    SELECT touched || array_agg(e.order_id) INTO touched FROM erased e;

    -- The rows stay, so that a retry still gets its response and never places a second order.
    UPDATE idempotency_keys k
       SET body = erased_response(k.body)
      FROM order_events e
     WHERE e.order_id = ANY (ids) AND e.cause IN ('placed', 'note', 'refund', 'acknowledgement')
       AND k.caller = e.actor AND k.key = e.idempotency_key
       AND k.operation = CASE e.cause WHEN 'placed' THEN 'place_order' WHEN 'note' THEN 'add_order_note'
                                     WHEN 'refund' THEN 'request_refund' ELSE 'acknowledge_mismatch' END
       -- After this time, the key can belong to another request.
       AND k.created_at < e.occurred_at + idempotency_key_lifetime();

    WITH erased AS (
        UPDATE orders o
           SET email = NULL, shipping_address = NULL, billing_address = NULL, note = NULL, metadata = NULL,
               personal_data_erased_at = clock_timestamp(), updated_at = clock_timestamp()
         WHERE o.id = ANY (ids)
           AND (o.personal_data_erased_at IS NULL OR o.id = ANY (touched)
                -- An order that was copied from a backup.
                OR num_nonnulls(o.email, o.shipping_address, o.billing_address, o.note, o.metadata) > 0)
        RETURNING o.id, o.status, o.payment_status
    )
    INSERT INTO order_events (order_id, cause, actor, party, from_status, from_payment_status,
                              to_status, to_payment_status, request_id)
    SELECT e.id, 'erasure', request ->> 'actor', (request ->> 'party')::party, e.status, e.payment_status,
           e.status, e.payment_status, request ->> 'request_id'
      FROM erased e;

    outcome := 'erased';
    body := json_build_object('customer_id', (request ->> 'customer_id')::integer,
                              'orders', coalesce(cardinality(ids), 0));
END
$$;
