-- Returns why an order cannot have its products.
-- in_stock: the products that were in stock when the order read them. The others count as sold out, although they may have
-- got stock since.
-- Outcomes: unknown_products, with their IDs; insufficient_stock, with the products that are short.
CREATE OR REPLACE FUNCTION reason_of_refusal(
    ids uuid[], quantities bigint[], in_stock uuid[], OUT outcome text, OUT body text
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    unknown json;
    short   json;
BEGIN
    SELECT json_agg(l.product_id) FILTER (WHERE p.id IS NULL),
           json_agg(json_build_object('product_id', p.id, 'product_name', p.name,
                                      'requested', l.quantity, 'available', p.available))
               FILTER (WHERE p.available < l.quantity)
      INTO unknown, short
      FROM unnest(ids, quantities) AS l(product_id, quantity)
      LEFT JOIN (SELECT id, name, CASE WHEN id = ANY (in_stock) THEN quantity ELSE 0 END AS available
                   FROM products WHERE id = ANY (ids) AND deleted_at IS NULL) p
        ON p.id = l.product_id;
    outcome := CASE WHEN unknown IS NULL THEN 'insufficient_stock' ELSE 'unknown_products' END;
    body := coalesce(unknown, short);
END
$$;
