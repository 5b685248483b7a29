-- What the lists need at a million rows.

-- The words of a text, in lower case, for a search by word.
CREATE FUNCTION words(content text) RETURNS text[]
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN array_remove(regexp_split_to_array(lower(content), '[^[:alnum:]]+'), '');

-- Each change of stock is a new entry here too, so they are collected first; the limit, in kB, keeps the
-- search through what is collected short.
CREATE INDEX products_by_word ON products USING gin (words(name))
    WITH (gin_pending_list_limit = 256) WHERE deleted_at IS NULL;

-- The expiry of orders looks for the oldest of these.
CREATE INDEX orders_waiting_for_payment ON orders (created_at, id)
    WHERE status = 'pending' AND payment_status <> 'paid';
