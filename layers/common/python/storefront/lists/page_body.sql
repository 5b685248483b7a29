-- Joins the two parts of a list's body: read_page's head on the first line, the items as JSON on the second.
CREATE OR REPLACE FUNCTION page_body(head text, items json) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN head || E'\n' || coalesce(items, '[]');
