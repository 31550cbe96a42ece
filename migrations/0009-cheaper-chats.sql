-- What a chat writes has no more indexes than are read.
-- depends: 0008-traceparent

-- A request names the provider whose key was given also when that is gone. Checked by a foreign key
-- and found by an index, it was the dearest thing in marking a request as sent, which now changes
-- no index at all.
ALTER TABLE requests DROP CONSTRAINT requests_provider_id_fkey;
DROP INDEX ix_requests_provider_id;

-- Of the original: others begin with the same columns, and nothing is asked for by `agent_id`.
DROP INDEX
    ix_chatconversations_creator_id,
    ix_chatconversations_session_id,
    ix_chatmessages_conversation_id,
    ix_chatmessages_id,
    ix_logs_agent_id,
    ix_logs_id,
    ix_logs_request_id,
    ix_logs_session_id;
