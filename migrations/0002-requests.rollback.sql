-- Refused while two users have configs of the same name: the original allows a name only once.

ALTER TABLE modelconfigs
    DROP CONSTRAINT uq_modelconfigs_creator_name,
    ADD CONSTRAINT modelconfigs_name_key UNIQUE (name);

DROP INDEX
    ix_agents_creator_id_created_at,
    ix_chatconversations_creator_id_created_at,
    ix_chatmessages_request_id,
    ix_chatmessages_conversation_id_created_at,
    ix_logs_request_id_id,
    ix_logs_session_id_id;

DROP TABLE
    router_session,
    requests;

ALTER TABLE logs DROP COLUMN seq;

ALTER TABLE chatconversations
    DROP COLUMN last_event_at,
    DROP COLUMN last_seq;
