-- The words of each name, so that a search does not compute them for each product that it reads.
ALTER TABLE products ADD COLUMN name_words text[];
COMMENT ON COLUMN products.name_words IS 'The words of the name. NULL for an earlier product, until a migration has added them.';

CREATE FUNCTION store_name_words() RETURNS trigger
    LANGUAGE plpgsql AS $$
BEGIN
    NEW.name_words := public.words(NEW.name);
    RETURN NEW;
END
$$;
COMMENT ON FUNCTION store_name_words IS 'The trigger that keeps products.name_words.';
CREATE TRIGGER products_name_words BEFORE INSERT OR UPDATE OF name ON products
    FOR EACH ROW EXECUTE FUNCTION store_name_words();
-- Also where triggers are off, as while data is copied.
ALTER TABLE products ENABLE ALWAYS TRIGGER products_name_words;
