-- Returns an amount as the API shows it: with two decimal places, or with more if the processor sent more.
CREATE OR REPLACE FUNCTION money_text(amount numeric) RETURNS text
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (amount + 0.00)::text;
END
$$;
