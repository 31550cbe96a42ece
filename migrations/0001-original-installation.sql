-- The tables of the original installation, name for name: columns and their order, defaults,
-- constraints and indexes. Nothing here is improved; what is ours begins with the next migration.

CREATE TYPE sendertype AS ENUM ('user', 'master_agent');

CREATE TABLE users (
    id         uuid NOT NULL,
    username   varchar NOT NULL,
    password   varchar NOT NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT users_pkey PRIMARY KEY (id)
);
CREATE INDEX ix_users_id ON users (id);
CREATE UNIQUE INDEX ix_users_username ON users (username);

CREATE TABLE userprofiles (
    id         uuid NOT NULL,
    first_name varchar,
    last_name  varchar,
    user_id    uuid,
    CONSTRAINT userprofiles_pkey PRIMARY KEY (id),
    CONSTRAINT userprofiles_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_userprofiles_id ON userprofiles (id);
CREATE INDEX ix_userprofiles_user_id ON userprofiles (user_id);

CREATE TABLE teams (
    id   uuid NOT NULL,
    name varchar NOT NULL,
    CONSTRAINT teams_pkey PRIMARY KEY (id),
    CONSTRAINT teams_name_key UNIQUE (name)
);
CREATE INDEX ix_teams_id ON teams (id);

CREATE TABLE user_team_associations (
    id      serial,
    user_id uuid NOT NULL,
    team_id uuid NOT NULL,
    CONSTRAINT user_team_associations_pkey PRIMARY KEY (id),
    CONSTRAINT user_team_associations_team_id_fkey FOREIGN KEY (team_id)
        REFERENCES teams (id) ON DELETE CASCADE,
    CONSTRAINT user_team_associations_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_user_team_associations_id ON user_team_associations (id);
CREATE INDEX ix_user_team_associations_team_id ON user_team_associations (team_id);
CREATE INDEX ix_user_team_associations_user_id ON user_team_associations (user_id);

CREATE TABLE projects (
    id   uuid NOT NULL,
    name varchar NOT NULL,
    CONSTRAINT projects_pkey PRIMARY KEY (id)
);
CREATE INDEX ix_projects_id ON projects (id);

CREATE TABLE user_project_associations (
    id         serial,
    user_id    uuid NOT NULL,
    project_id uuid NOT NULL,
    CONSTRAINT user_project_associations_pkey PRIMARY KEY (id),
    CONSTRAINT user_project_associations_project_id_fkey FOREIGN KEY (project_id)
        REFERENCES projects (id) ON DELETE CASCADE,
    CONSTRAINT user_project_associations_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_user_project_associations_id ON user_project_associations (id);
CREATE INDEX ix_user_project_associations_project_id ON user_project_associations (project_id);
CREATE INDEX ix_user_project_associations_user_id ON user_project_associations (user_id);

CREATE TABLE agents (
    id               uuid NOT NULL,
    alias            varchar NOT NULL,
    name             varchar NOT NULL,
    description      varchar NOT NULL,
    jwt              varchar NOT NULL,
    creator_id       uuid,
    input_parameters json NOT NULL,
    created_at       timestamp NOT NULL DEFAULT now(),
    updated_at       timestamp NOT NULL DEFAULT now(),
    last_invoked_at  timestamp NOT NULL DEFAULT now(),
    is_active        boolean NOT NULL,
    CONSTRAINT agents_pkey PRIMARY KEY (id),
    CONSTRAINT agents_alias_key UNIQUE (alias),
    CONSTRAINT agents_jwt_key UNIQUE (jwt),
    CONSTRAINT agents_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_agents_creator_id ON agents (creator_id);
CREATE INDEX ix_agents_id ON agents (id);

CREATE TABLE agent_project_associations (
    id         serial,
    agent_id   uuid NOT NULL,
    project_id uuid NOT NULL,
    CONSTRAINT agent_project_associations_pkey PRIMARY KEY (id),
    CONSTRAINT agent_project_associations_agent_id_fkey FOREIGN KEY (agent_id)
        REFERENCES agents (id) ON DELETE CASCADE,
    CONSTRAINT agent_project_associations_project_id_fkey FOREIGN KEY (project_id)
        REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_agent_project_associations_agent_id ON agent_project_associations (agent_id);
CREATE INDEX ix_agent_project_associations_id ON agent_project_associations (id);
CREATE INDEX ix_agent_project_associations_project_id ON agent_project_associations (project_id);

CREATE TABLE agentworkflows (
    id          uuid NOT NULL,
    alias       varchar NOT NULL,
    name        varchar NOT NULL,
    description varchar NOT NULL,
    flow        json NOT NULL,
    creator_id  uuid,
    is_active   boolean NOT NULL,
    created_at  timestamp NOT NULL DEFAULT now(),
    updated_at  timestamp NOT NULL DEFAULT now(),
    CONSTRAINT agentworkflows_pkey PRIMARY KEY (id),
    CONSTRAINT agentworkflows_alias_key UNIQUE (alias),
    CONSTRAINT agentworkflows_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_agentworkflows_creator_id ON agentworkflows (creator_id);
CREATE INDEX ix_agentworkflows_id ON agentworkflows (id);

CREATE TABLE agentflow_project_associations (
    id         serial,
    flow_id    uuid NOT NULL,
    project_id uuid NOT NULL,
    CONSTRAINT agentflow_project_associations_pkey PRIMARY KEY (id),
    CONSTRAINT agentflow_project_associations_flow_id_fkey FOREIGN KEY (flow_id)
        REFERENCES agentworkflows (id) ON DELETE CASCADE,
    CONSTRAINT agentflow_project_associations_project_id_fkey FOREIGN KEY (project_id)
        REFERENCES projects (id) ON DELETE CASCADE
);
CREATE INDEX ix_agentflow_project_associations_flow_id ON agentflow_project_associations (flow_id);
CREATE INDEX ix_agentflow_project_associations_id ON agentflow_project_associations (id);
CREATE INDEX ix_agentflow_project_associations_project_id
    ON agentflow_project_associations (project_id);

CREATE TABLE mcpservers (
    id          uuid NOT NULL,
    name        varchar,
    description varchar,
    server_url  varchar NOT NULL,
    created_at  timestamp NOT NULL DEFAULT now(),
    updated_at  timestamp NOT NULL DEFAULT now(),
    creator_id  uuid,
    is_active   boolean NOT NULL,
    CONSTRAINT mcpservers_pkey PRIMARY KEY (id),
    CONSTRAINT uq_mcp_server_url UNIQUE (creator_id, server_url),
    CONSTRAINT mcpservers_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_mcpservers_creator_id ON mcpservers (creator_id);
CREATE INDEX ix_mcpservers_id ON mcpservers (id);

CREATE TABLE mcptools (
    id            uuid NOT NULL,
    name          varchar NOT NULL,
    description   varchar,
    "inputSchema" json NOT NULL,
    annotations   json,
    alias         varchar,
    mcp_server_id uuid,
    created_at    timestamp NOT NULL DEFAULT now(),
    updated_at    timestamp NOT NULL DEFAULT now(),
    CONSTRAINT mcptools_pkey PRIMARY KEY (id),
    CONSTRAINT mcptools_mcp_server_id_fkey FOREIGN KEY (mcp_server_id)
        REFERENCES mcpservers (id) ON DELETE CASCADE
);
CREATE INDEX ix_mcptools_id ON mcptools (id);
CREATE INDEX ix_mcptools_mcp_server_id ON mcptools (mcp_server_id);

CREATE TABLE a2acards (
    id           uuid NOT NULL,
    name         varchar,
    alias        varchar,
    description  varchar,
    server_url   varchar NOT NULL,
    card_content json NOT NULL,
    is_active    boolean NOT NULL,
    created_at   timestamp NOT NULL DEFAULT now(),
    updated_at   timestamp NOT NULL DEFAULT now(),
    creator_id   uuid,
    CONSTRAINT a2acards_pkey PRIMARY KEY (id),
    CONSTRAINT uq_a2a_card_server_url UNIQUE (creator_id, server_url),
    CONSTRAINT a2acards_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_a2acards_creator_id ON a2acards (creator_id);
CREATE INDEX ix_a2acards_id ON a2acards (id);

CREATE TABLE modelproviders (
    id                uuid NOT NULL,
    name              varchar NOT NULL,
    api_key           varchar,
    provider_metadata json NOT NULL,
    creator_id        uuid,
    created_at        timestamp NOT NULL DEFAULT now(),
    updated_at        timestamp NOT NULL DEFAULT now(),
    CONSTRAINT modelproviders_pkey PRIMARY KEY (id),
    CONSTRAINT uq_user_item_name UNIQUE (creator_id, name),
    CONSTRAINT modelproviders_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_modelproviders_creator_id ON modelproviders (creator_id);
CREATE INDEX ix_modelproviders_id ON modelproviders (id);

CREATE TABLE modelconfigs (
    id                uuid NOT NULL,
    name              varchar NOT NULL,
    model             varchar NOT NULL,
    provider_id       uuid,
    system_prompt     varchar NOT NULL,
    user_prompt       varchar,
    max_last_messages integer NOT NULL,
    temperature       double precision NOT NULL,
    credentials       json NOT NULL,
    creator_id        uuid,
    created_at        timestamp NOT NULL DEFAULT now(),
    updated_at        timestamp NOT NULL DEFAULT now(),
    CONSTRAINT modelconfigs_pkey PRIMARY KEY (id),
    CONSTRAINT modelconfigs_name_key UNIQUE (name),
    CONSTRAINT modelconfigs_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT modelconfigs_provider_id_fkey FOREIGN KEY (provider_id)
        REFERENCES modelproviders (id) ON DELETE CASCADE
);
CREATE INDEX ix_modelconfigs_creator_id ON modelconfigs (creator_id);
CREATE INDEX ix_modelconfigs_id ON modelconfigs (id);
CREATE INDEX ix_modelconfigs_model ON modelconfigs (model);
CREATE INDEX ix_modelconfigs_provider_id ON modelconfigs (provider_id);

CREATE TABLE chatconversations (
    session_id uuid NOT NULL,
    title      varchar NOT NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    creator_id uuid,
    CONSTRAINT chatconversations_pkey PRIMARY KEY (session_id),
    CONSTRAINT chatconversations_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_chatconversations_creator_id ON chatconversations (creator_id);
CREATE INDEX ix_chatconversations_session_id ON chatconversations (session_id);

CREATE TABLE chatmessages (
    id              uuid NOT NULL,
    request_id      uuid,
    sender_type     sendertype NOT NULL,
    content         varchar NOT NULL,
    extra_metadata  json,
    created_at      timestamp NOT NULL DEFAULT now(),
    updated_at      timestamp NOT NULL DEFAULT now(),
    conversation_id uuid,
    CONSTRAINT chatmessages_pkey PRIMARY KEY (id),
    CONSTRAINT chatmessages_conversation_id_fkey FOREIGN KEY (conversation_id)
        REFERENCES chatconversations (session_id) ON DELETE CASCADE
);
CREATE INDEX ix_chatmessages_conversation_id ON chatmessages (conversation_id);
CREATE INDEX ix_chatmessages_id ON chatmessages (id);

CREATE TABLE files (
    id            uuid NOT NULL,
    session_id    uuid,
    request_id    uuid,
    creator_id    uuid,
    mimetype      varchar NOT NULL,
    original_name varchar NOT NULL,
    internal_name varchar NOT NULL,
    internal_id   uuid NOT NULL,
    from_agent    boolean NOT NULL,
    CONSTRAINT files_pkey PRIMARY KEY (id),
    CONSTRAINT files_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_files_creator_id ON files (creator_id);
CREATE INDEX ix_files_id ON files (id);
CREATE INDEX ix_files_internal_id ON files (internal_id);
CREATE INDEX ix_files_request_id ON files (request_id);
CREATE INDEX ix_files_session_id ON files (session_id);

CREATE TABLE logs (
    id         serial,
    session_id uuid NOT NULL,
    request_id uuid NOT NULL,
    agent_id   varchar,
    creator_id uuid,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    message    varchar NOT NULL,
    log_level  varchar NOT NULL,
    CONSTRAINT logs_pkey PRIMARY KEY (id),
    CONSTRAINT logs_creator_id_fkey FOREIGN KEY (creator_id)
        REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX ix_logs_agent_id ON logs (agent_id);
CREATE INDEX ix_logs_creator_id ON logs (creator_id);
CREATE INDEX ix_logs_id ON logs (id);
CREATE INDEX ix_logs_request_id ON logs (request_id);
CREATE INDEX ix_logs_session_id ON logs (session_id);
