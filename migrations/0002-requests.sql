-- Requests to the master agent as rows: what was accepted, who runs it, how it ended.
-- depends: 0001-original-installation

ALTER TABLE chatconversations
    ADD COLUMN last_seq      bigint NOT NULL DEFAULT 0,
    ADD COLUMN last_event_at timestamp NOT NULL DEFAULT '-infinity';

COMMENT ON COLUMN chatconversations.last_seq IS
    'The last number given out to a log entry or answer of the session.';
COMMENT ON COLUMN chatconversations.last_event_at IS
    'UTC time of the newest message or log; times of a session are at least 1 ms apart.';

ALTER TABLE logs ADD COLUMN seq bigint;

COMMENT ON COLUMN logs.seq IS
    'Number of the entry in its session, from last_seq; null in rows older than this column.';

CREATE TABLE requests (
    id             uuid NOT NULL,
    session_id     uuid NOT NULL,
    creator_id     uuid NOT NULL,
    position       bigint GENERATED ALWAYS AS IDENTITY,
    status         text NOT NULL DEFAULT 'queued',
    config_name    text,
    provider_name  text,
    file_ids       uuid[] NOT NULL DEFAULT '{}',
    provider_id    uuid,
    bridge_id      uuid,
    claim_id       uuid,
    lease_until    timestamptz,
    sent_at        timestamptz,
    deadline       timestamptz NOT NULL,
    seq            bigint,
    execution_time double precision,
    error          text,
    created_at     timestamptz NOT NULL DEFAULT now(),
    ended_at       timestamptz,
    CONSTRAINT requests_pkey PRIMARY KEY (id),
    CONSTRAINT requests_session_id_fkey FOREIGN KEY (session_id)
        REFERENCES chatconversations (session_id) ON DELETE CASCADE,
    CONSTRAINT requests_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT requests_provider_id_fkey FOREIGN KEY (provider_id)
        REFERENCES modelproviders (id) ON DELETE SET NULL,
    CONSTRAINT ck_requests_status CHECK (status IN (
        'queued', 'running', 'answered', 'failed', 'timed_out', 'cancelled', 'interrupted'
    )),
    CONSTRAINT ck_requests_ended_at CHECK ((status IN ('queued', 'running')) = (ended_at IS NULL)),
    CONSTRAINT ck_requests_seq CHECK ((status IN ('queued', 'running')) = (seq IS NULL))
);

COMMENT ON COLUMN requests.id IS 'The request_id that the sender was given.';
COMMENT ON COLUMN requests.position IS 'Order of acceptance.';
COMMENT ON COLUMN requests.config_name IS 'As the sender named it; null when not named.';
COMMENT ON COLUMN requests.provider_name IS 'As the sender named it; null when not named.';
COMMENT ON COLUMN requests.provider_id IS 'Whose key the master agent was given.';
COMMENT ON COLUMN requests.bridge_id IS 'The bridge that runs or ran it.';
COMMENT ON COLUMN requests.claim_id IS
    'That claim of it: a bridge may lose a claim and win the request again.';
COMMENT ON COLUMN requests.lease_until IS 'Until when that bridge is believed to be at it.';
COMMENT ON COLUMN requests.sent_at IS
    'From here on it may have reached the master agent: never sent again.';
COMMENT ON COLUMN requests.seq IS 'Number of the answer in its session, from last_seq.';
COMMENT ON COLUMN requests.execution_time IS 'Seconds.';

-- One at a time in a session: answers come in order, whichever bridges are involved.
CREATE UNIQUE INDEX uq_requests_running ON requests (session_id) WHERE status = 'running';
CREATE UNIQUE INDEX uq_requests_session_seq ON requests (session_id, seq);
CREATE INDEX ix_requests_queued ON requests (position) WHERE status = 'queued';
CREATE INDEX ix_requests_open ON requests (session_id, position)
    WHERE status IN ('queued', 'running');
CREATE INDEX ix_requests_queued_deadline ON requests (deadline) WHERE status = 'queued';
CREATE INDEX ix_requests_running_lease ON requests (lease_until) WHERE status = 'running';
CREATE UNIQUE INDEX uq_requests_claim_id ON requests (claim_id) WHERE claim_id IS NOT NULL;
CREATE INDEX ix_requests_creator_id ON requests (creator_id);
-- For the deletion of a provider, which looks here for what to set null.
CREATE INDEX ix_requests_provider_id ON requests (provider_id) WHERE provider_id IS NOT NULL;

-- A single row, there from the start.
CREATE TABLE router_session (
    id            boolean NOT NULL DEFAULT true,
    last_alive_at timestamptz,
    CONSTRAINT router_session_pkey PRIMARY KEY (id),
    CONSTRAINT ck_router_session_single_row CHECK (id)
);

COMMENT ON COLUMN router_session.last_alive_at IS
    'When master_server_be was last known to be held.';

INSERT INTO router_session DEFAULT VALUES;

CREATE UNIQUE INDEX uq_logs_session_seq ON logs (session_id, seq);
CREATE INDEX ix_logs_session_id_id ON logs (session_id, id);
CREATE INDEX ix_logs_request_id_id ON logs (request_id, id);
CREATE INDEX ix_chatmessages_conversation_id_created_at
    ON chatmessages (conversation_id, created_at DESC);
CREATE INDEX ix_chatmessages_request_id ON chatmessages (request_id);
CREATE INDEX ix_chatconversations_creator_id_created_at
    ON chatconversations (creator_id, created_at DESC, session_id);
CREATE INDEX ix_agents_creator_id_created_at ON agents (creator_id, created_at);

-- The name of a config is its owner's choice, not the first come's of all users.
ALTER TABLE modelconfigs
    DROP CONSTRAINT modelconfigs_name_key,
    ADD CONSTRAINT uq_modelconfigs_creator_name UNIQUE (creator_id, name);
