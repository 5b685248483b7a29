-- Returns a dispute as the API shows it.
CREATE OR REPLACE FUNCTION dispute_json(dispute disputes) RETURNS json
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN json_build_object(
        'id', dispute.id,
        'reference', nullif(dispute.reference, ''),
        'status', dispute.status,
        'amount', money_text(dispute.amount),
        'currency', dispute.currency,
        'opened_at', rfc3339(dispute.opened_at),
        'changed_at', rfc3339(dispute.changed_at));
END
$$;
