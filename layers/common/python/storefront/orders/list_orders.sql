-- One page of the orders, newest first, with how many there are. Outcome: listed.
-- The statement is put together from the texts below alone, never from the request, so that each
-- combination of filters gets a plan of its own and finds its index.
CREATE OR REPLACE FUNCTION list_orders(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    page      integer := (request ->> 'page')::integer;
    page_size integer := (request ->> 'page_size')::integer;
    filter    text := 'true';
    items     json;
    total     bigint;
BEGIN
    IF request ->> 'status' IS NOT NULL THEN
        filter := filter || ' AND o.status = ($1 ->> ''status'')::order_status';
    END IF;
    IF request ->> 'payment_status' IS NOT NULL THEN
        filter := filter || ' AND o.payment_status = ($1 ->> ''payment_status'')::payment_status';
    END IF;
    IF request ->> 'customer_id' IS NOT NULL THEN
        filter := filter || ' AND o.customer_id = ($1 ->> ''customer_id'')::integer';
    END IF;
    EXECUTE 'SELECT count(*) FROM orders o WHERE ' || filter INTO total USING request;
    -- json_agg takes the rows as they come, which is the order of the page.
    EXECUTE 'SELECT coalesce(json_agg(order_json(page.o)), ''[]'') FROM ('
            'SELECT o FROM orders o WHERE ' || filter ||
            ' ORDER BY o.created_at DESC, o.id DESC LIMIT $2 OFFSET $3) page'
       INTO items USING request, page_size, (page - 1)::bigint * page_size;
    outcome := 'listed';
    body := page_json(items, total, page, page_size);
END
$$;
