-- A page of a list as a function takes it: how it goes on, as read_page says, and on the next line its items.
CREATE OR REPLACE FUNCTION page_body(head text, items json) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN head || E'\n' || coalesce(items, '[]');
