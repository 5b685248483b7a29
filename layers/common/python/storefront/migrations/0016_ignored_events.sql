-- Events that report no money, and that anybody at the processor can cause in any number.
ALTER TABLE payment_events ADD COLUMN body_is_cut boolean;
COMMENT ON COLUMN payment_events.body_is_cut IS
    'Whether only the beginning of the body is stored, because Storefront does not handle the type. NULL means no.';

CREATE TABLE ignored_events (
    day      date PRIMARY KEY,
    received bigint NOT NULL
);
COMMENT ON TABLE ignored_events IS 'The number of events of types that are not handled, by day (UTC).';
COMMENT ON COLUMN ignored_events.received IS 'Those above the setting IgnoredEventsPerDay are not in the inbox.';
