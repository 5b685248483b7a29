-- Requests a refund of a payment of an order, and returns units to the stock.
-- Outcomes: created, with the refund; unknown_order; stale; unknown_payment; several_payments, with those that have money
-- left; payment_disputed; unknown_items, with their IDs; too_many_units, with the line items; other_currency,
-- whole_number and refund_too_large, with details, as in refund_amount.
CREATE OR REPLACE FUNCTION request_refund(request jsonb, OUT outcome text, OUT body text)
    LANGUAGE plpgsql AS $$
DECLARE
    locked  record := lock_order(request);
    lines   refund_lines[] := ARRAY(SELECT l FROM jsonb_populate_recordset(NULL::refund_lines, request -> 'lines') l);
    chosen  record;
    refused record;
    wanted  record;
    refund  refunds;
BEGIN
    IF locked.outcome IS NOT NULL THEN
        outcome := locked.outcome;
        RETURN;
    END IF;
    chosen := refundable_payment(locked.target, (request ->> 'payment_id')::uuid);
    refused := refused_lines(locked.target, lines);
    IF coalesce(chosen.outcome, refused.outcome) IS NOT NULL THEN
        outcome := coalesce(chosen.outcome, refused.outcome);
        body := coalesce(chosen.body, refused.body);
        RETURN;
    END IF;

    wanted := refund_amount(request, locked.target, chosen.payment, lines);
    IF wanted.outcome IS NOT NULL THEN
        outcome := wanted.outcome;
        body := wanted.body;
        RETURN;
    END IF;

    refund := add_refund(chosen.payment, wanted.amount, request);
    INSERT INTO refund_lines (refund_id, order_item_id, restock, quantity)
    SELECT refund.id, l.order_item_id, l.restock, l.quantity FROM unnest(lines) l;
    PERFORM return_units(refund, request);
    PERFORM recount_money(refund.order_id, is_shown => true);
    outcome := 'created';
    body := refund_json(refund);
END
$$;
