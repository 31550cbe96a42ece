-- What users publish for programs of others, and what these have asked through it.
-- depends: 0034-due-grants
-- transactional: false

CREATE TABLE IF NOT EXISTS publications (
    id         uuid NOT NULL,
    alias      text NOT NULL,
    creator_id uuid NOT NULL,
    agent_id   uuid,
    flow_id    uuid,
    config_id  uuid,
    created_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT publications_pkey PRIMARY KEY (id),
    CONSTRAINT uq_publications_alias UNIQUE (alias),
    CONSTRAINT uq_publications_agent_id UNIQUE (agent_id),
    CONSTRAINT uq_publications_flow_id UNIQUE (flow_id),
    CONSTRAINT uq_publications_config_id UNIQUE (config_id),
    CONSTRAINT ck_publications_target CHECK (num_nonnulls(agent_id, flow_id, config_id) = 1),
    CONSTRAINT publications_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT publications_agent_id_fkey FOREIGN KEY (agent_id)
        REFERENCES agents (id) ON DELETE CASCADE,
    CONSTRAINT publications_flow_id_fkey FOREIGN KEY (flow_id)
        REFERENCES agentworkflows (id) ON DELETE CASCADE,
    CONSTRAINT publications_config_id_fkey FOREIGN KEY (config_id)
        REFERENCES modelconfigs (id) ON DELETE CASCADE
);

COMMENT ON COLUMN publications.alias IS 'What its address has; of all users one has it.';
COMMENT ON COLUMN publications.config_id IS 'The master agent is published, with this model config.';

CREATE INDEX IF NOT EXISTS ix_publications_creator_id
    ON publications (creator_id, created_at DESC, id);

ALTER TABLE requests
    ADD COLUMN IF NOT EXISTS publication_id uuid,
    ADD COLUMN IF NOT EXISTS named jsonb;

COMMENT ON COLUMN requests.publication_id IS
    'What it was asked through, which may be no more; null: nothing that is published.';
COMMENT ON COLUMN requests.named IS
    'What its client calls the message and the session, where these are other words than ours.';

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_requests_publication_id
    ON requests (publication_id, coalesce(ended_at, sent_at, created_at) DESC, id DESC)
    WHERE publication_id IS NOT NULL;
