-- Whose word on agents counts, should two bridges hold the router session for a moment.
-- depends: 0006-repeated-messages

ALTER TABLE router_session
    DROP COLUMN last_alive_at,
    ADD COLUMN term uuid;

COMMENT ON COLUMN router_session.term IS
    'What the latest leader calls its time as master_server_be; null: there was none yet.';
