-- Returns the amount of a requested refund: the request's amount, the sum of its lines, or everything that is left of the
-- payment. The request's whole_currencies have no decimal places.
-- Outcomes: NULL; other_currency, if the lines have prices in another currency than the payment, with both; whole_number,
-- with the currency; refund_too_large, with the amount, the amount left and whether the order has a payment.
CREATE OR REPLACE FUNCTION refund_amount(
    request jsonb, target orders, payment payments, lines refund_lines[],
    OUT outcome text, OUT body json, OUT amount numeric
)
    LANGUAGE plpgsql STABLE AS $$
DECLARE
    amount_left numeric := coalesce(left_of_payment(payment), 0);
BEGIN
    amount := (request ->> 'amount')::numeric;
    IF amount IS NULL AND cardinality(lines) > 0 THEN
        IF payment.currency <> target.currency THEN
            outcome := 'other_currency';
            body := json_build_object('payment', payment.currency, 'order', target.currency);
            RETURN;
        END IF;
        SELECT sum(item.price_at_purchase * l.quantity) INTO amount
          FROM unnest(lines) l JOIN order_items item ON item.id = l.order_item_id;
    END IF;
    IF amount <> trunc(amount) AND request -> 'whole_currencies' ? payment.currency THEN
        outcome := 'whole_number';
        body := to_json(payment.currency);
        RETURN;
    END IF;
    amount := coalesce(amount, amount_left);
    IF amount > amount_left OR amount_left = 0 THEN
        outcome := 'refund_too_large';
        body := json_build_object('amount', money_text(amount), 'amount_left', money_text(amount_left),
            'has_payment', EXISTS (SELECT FROM payments p WHERE p.order_id = target.id));
    END IF;
END
$$;
