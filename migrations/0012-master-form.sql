-- The form of its payload that the master agent knows is found once, for all bridges and restarts.
-- depends: 0009-cheaper-chats

ALTER TABLE router_session
    ADD COLUMN master_form text,
    ADD CONSTRAINT ck_router_session_master_form CHECK (master_form IN ('enriched', 'lookup'));

COMMENT ON COLUMN router_session.master_form IS
    'The form that the master agent answered last; null: it has answered none yet.';
