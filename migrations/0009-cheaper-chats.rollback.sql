CREATE INDEX ix_chatconversations_creator_id ON chatconversations (creator_id);
CREATE INDEX ix_chatconversations_session_id ON chatconversations (session_id);
CREATE INDEX ix_chatmessages_conversation_id ON chatmessages (conversation_id);
CREATE INDEX ix_chatmessages_id ON chatmessages (id);
CREATE INDEX ix_logs_agent_id ON logs (agent_id);
CREATE INDEX ix_logs_id ON logs (id);
CREATE INDEX ix_logs_request_id ON logs (request_id);
CREATE INDEX ix_logs_session_id ON logs (session_id);

UPDATE requests SET provider_id = NULL
WHERE NOT EXISTS (SELECT FROM modelproviders WHERE modelproviders.id = provider_id);

CREATE INDEX ix_requests_provider_id ON requests (provider_id) WHERE provider_id IS NOT NULL;
ALTER TABLE requests ADD CONSTRAINT requests_provider_id_fkey
    FOREIGN KEY (provider_id) REFERENCES modelproviders (id) ON DELETE SET NULL;
