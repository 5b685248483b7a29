-- The orders that the request's filters let through, newest first. Outcome: listed.
CREATE OR REPLACE FUNCTION page_of_orders(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    filter text := 'true';
BEGIN
    IF request ->> 'status' IS NOT NULL THEN
        filter := filter || ' AND t.status = ($1 ->> ''status'')::order_status';
    END IF;
    IF request ->> 'payment_status' IS NOT NULL THEN
        filter := filter || ' AND t.payment_status = ($1 ->> ''payment_status'')::payment_status';
    END IF;
    IF request ->> 'customer_id' IS NOT NULL THEN
        filter := filter || ' AND t.customer_id = ($1 ->> ''customer_id'')::integer';
    END IF;
    IF request ->> 'created_from' IS NOT NULL THEN
        filter := filter || ' AND t.created_at >= ($1 ->> ''created_from'')::timestamptz';
    END IF;
    IF request ->> 'created_to' IS NOT NULL THEN
        filter := filter || ' AND t.created_at <= ($1 ->> ''created_to'')::timestamptz';
    END IF;
    outcome := 'listed';
    body := read_page(request, 'orders', filter, 'order_json(t)',
        ARRAY['created_at', 'id'], ARRAY['timestamptz', 'uuid'], descending => true);
END
$$;
