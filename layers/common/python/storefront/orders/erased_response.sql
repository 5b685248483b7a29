-- Returns the stored response to a request about an order without personal data, in the form of json_build_object.
CREATE OR REPLACE FUNCTION erased_response(response text) RETURNS text
    LANGUAGE plpgsql IMMUTABLE AS $$
BEGIN
    RETURN (SELECT '{' || string_agg(to_json(field.key) || ' : ' || CASE
                       WHEN field.key IN ('email', 'shipping_address', 'billing_address', 'note', 'reason', 'refund',
                                          'acknowledgement') THEN 'null'
                       WHEN field.key = 'metadata' THEN '{}'
                       -- Only of a note. As in explain_order_event.
                       WHEN field.key = 'message' AND response::json ->> 'cause' = 'note' THEN
                           to_json('Staff wrote a note. Its text was erased.'::text)::text
                       ELSE field.value::text END, ', ') || '}'
              FROM json_each(response::json) field);
END
$$;
