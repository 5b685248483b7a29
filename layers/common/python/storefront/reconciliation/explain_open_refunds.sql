-- Says what staff should do while refunds of money that must go back are open, or NULL if none is.
-- amount: of the open refunds. rest: the money that neither went back nor is requested.
CREATE OR REPLACE FUNCTION explain_open_refunds(amount numeric, rest numeric, currency text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN CASE
        WHEN amount > 0 AND rest > 0 THEN format(
            'Refunds of %s %s are open. Request a refund of the other %s %s, too, or make it at the processor.',
            money_text(amount), currency, money_text(rest), currency)
        WHEN amount > 0 THEN 'A refund is requested. If no program of your shop makes it, make it at the processor.'
        END;
END
$$;
