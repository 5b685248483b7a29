-- Returns a payment event, which needs review if it conflicts with another content under its ID.
-- The caller has locked the first content under the ID.
CREATE OR REPLACE FUNCTION with_conflict(event payment_events) RETURNS payment_events
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF is_conflict(event) THEN
        event.outcome := 'needs_review';
        event.reason := 'other_content';
    END IF;
    RETURN event;
END
$$;
