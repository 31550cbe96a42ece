ALTER TABLE router_session
    DROP COLUMN term,
    ADD COLUMN last_alive_at timestamptz;

COMMENT ON COLUMN router_session.last_alive_at IS
    'When master_server_be was last known to be held.';
