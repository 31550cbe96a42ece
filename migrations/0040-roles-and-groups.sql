-- Groups of users, and what their members let the others use.
-- depends: 0039-identities
-- transactional: false

CREATE INDEX CONCURRENTLY IF NOT EXISTS ix_users_admin ON users (id) WHERE role = 'admin';

CREATE TABLE IF NOT EXISTS groups (
    id         uuid NOT NULL,
    name       text NOT NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    updated_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT groups_pkey PRIMARY KEY (id)
);

CREATE TABLE IF NOT EXISTS group_members (
    group_id   uuid NOT NULL,
    user_id    uuid NOT NULL,
    role       text NOT NULL,
    created_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT group_members_pkey PRIMARY KEY (group_id, user_id),
    CONSTRAINT group_members_group_id_fkey FOREIGN KEY (group_id)
        REFERENCES groups (id) ON DELETE CASCADE,
    CONSTRAINT group_members_user_id_fkey FOREIGN KEY (user_id)
        REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT ck_group_members_role CHECK (role IN ('invited', 'member', 'manager'))
);

COMMENT ON COLUMN group_members.role IS
    'Who is invited is no member before he has accepted: nobody gets agents by others'' will alone.';

CREATE INDEX IF NOT EXISTS ix_group_members_user_id ON group_members (user_id, group_id);

-- What its owner lets a group use, as long as he is in it himself.
CREATE TABLE IF NOT EXISTS shares (
    id         uuid NOT NULL,
    group_id   uuid NOT NULL,
    owner_id   uuid NOT NULL,
    agent_id   uuid,
    flow_id    uuid,
    config_id  uuid,
    server_id  uuid,
    card_id    uuid,
    created_at timestamp NOT NULL DEFAULT now(),
    CONSTRAINT shares_pkey PRIMARY KEY (id),
    CONSTRAINT uq_shares_agent_id UNIQUE (agent_id, group_id),
    CONSTRAINT uq_shares_flow_id UNIQUE (flow_id, group_id),
    CONSTRAINT uq_shares_config_id UNIQUE (config_id, group_id),
    CONSTRAINT uq_shares_server_id UNIQUE (server_id, group_id),
    CONSTRAINT uq_shares_card_id UNIQUE (card_id, group_id),
    CONSTRAINT ck_shares_target
        CHECK (num_nonnulls(agent_id, flow_id, config_id, server_id, card_id) = 1),
    CONSTRAINT shares_member_fkey FOREIGN KEY (group_id, owner_id)
        REFERENCES group_members (group_id, user_id) ON DELETE CASCADE,
    CONSTRAINT shares_agent_id_fkey FOREIGN KEY (agent_id)
        REFERENCES agents (id) ON DELETE CASCADE,
    CONSTRAINT shares_flow_id_fkey FOREIGN KEY (flow_id)
        REFERENCES agentworkflows (id) ON DELETE CASCADE,
    CONSTRAINT shares_config_id_fkey FOREIGN KEY (config_id)
        REFERENCES modelconfigs (id) ON DELETE CASCADE,
    CONSTRAINT shares_server_id_fkey FOREIGN KEY (server_id)
        REFERENCES mcpservers (id) ON DELETE CASCADE,
    CONSTRAINT shares_card_id_fkey FOREIGN KEY (card_id)
        REFERENCES a2acards (id) ON DELETE CASCADE
);

CREATE INDEX IF NOT EXISTS ix_shares_group_id ON shares (group_id, owner_id);
CREATE INDEX IF NOT EXISTS ix_shares_owner_id ON shares (owner_id);

-- A group has a manager as long as it has members, and is gone with its last one.
CREATE OR REPLACE FUNCTION keep_group_managed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM FROM groups WHERE id = OLD.group_id FOR UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;
    END IF;
    UPDATE group_members SET role = 'manager'
    WHERE group_id = OLD.group_id
      AND NOT EXISTS (
          SELECT FROM group_members WHERE group_id = OLD.group_id AND role = 'manager'
      )
      AND user_id = (
          SELECT user_id FROM group_members
          WHERE group_id = OLD.group_id AND role = 'member' ORDER BY created_at, user_id LIMIT 1
      );
    DELETE FROM groups
    WHERE id = OLD.group_id AND NOT EXISTS (
        SELECT FROM group_members WHERE group_id = OLD.group_id AND role <> 'invited'
    );
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER group_members_left AFTER DELETE ON group_members
    FOR EACH ROW WHEN (OLD.role <> 'invited') EXECUTE FUNCTION keep_group_managed();

-- What a user may use: his own, and what others share with groups that he is a member of. Each is
-- put into the statement that names it, and planned with that; by arrays, which are always looked
-- up in an index.

CREATE OR REPLACE FUNCTION usable_agents(uuid) RETURNS SETOF agents LANGUAGE sql STABLE AS $$
    SELECT agents.* FROM agents WHERE creator_id = $1
    UNION ALL
    SELECT agents.* FROM agents
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT agent_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited'
    ))
$$;

CREATE OR REPLACE FUNCTION usable_flows(uuid) RETURNS SETOF agentworkflows LANGUAGE sql STABLE AS $$
    SELECT agentworkflows.* FROM agentworkflows WHERE creator_id = $1
    UNION ALL
    SELECT agentworkflows.* FROM agentworkflows
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT flow_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited'
    ))
$$;

CREATE OR REPLACE FUNCTION usable_configs(uuid) RETURNS SETOF modelconfigs LANGUAGE sql STABLE AS $$
    SELECT modelconfigs.* FROM modelconfigs WHERE creator_id = $1
    UNION ALL
    SELECT modelconfigs.* FROM modelconfigs
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT config_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited'
    ))
$$;

CREATE OR REPLACE FUNCTION usable_servers(uuid) RETURNS SETOF mcpservers LANGUAGE sql STABLE AS $$
    SELECT mcpservers.* FROM mcpservers WHERE creator_id = $1
    UNION ALL
    SELECT mcpservers.* FROM mcpservers
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT server_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited'
    ))
$$;

CREATE OR REPLACE FUNCTION usable_cards(uuid) RETURNS SETOF a2acards LANGUAGE sql STABLE AS $$
    SELECT a2acards.* FROM a2acards WHERE creator_id = $1
    UNION ALL
    SELECT a2acards.* FROM a2acards
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT card_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited'
    ))
$$;

-- Whether an agent may work for a user: it is his, or shared with him, or in a flow that is.
CREATE OR REPLACE FUNCTION may_use_agent(a_user uuid, an_agent uuid) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM usable_agents(a_user) WHERE id = an_agent) OR EXISTS (
        SELECT FROM usable_flows(a_user) AS flow
        JOIN agents ON agents.creator_id = flow.creator_id AND agents.id = an_agent
        CROSS JOIN LATERAL json_array_elements(flow.flow) AS member
        WHERE flow.creator_id <> a_user
          AND member ->> 'type' = 'genai' AND CAST(member ->> 'id' AS uuid) = an_agent
    )
$$;

-- Tools of servers that several users have got at one URL had one alias: whoever shares one with
-- another would give his chats two functions of one name.
WITH numbered AS (
    SELECT id, row_number() OVER (PARTITION BY alias ORDER BY created_at, id) AS place
    FROM mcptools WHERE alias IS NOT NULL
)
UPDATE mcptools
SET alias = regexp_replace(alias, '[^_]*$', '')
    || translate(left(md5(CAST(numbered.id AS text)), 6), '0123456789', 'ghijklmnop')
FROM numbered WHERE numbered.id = mcptools.id AND place > 1;

WITH numbered AS (
    SELECT id, row_number() OVER (PARTITION BY alias ORDER BY created_at, id) AS place
    FROM a2acards WHERE alias IS NOT NULL
)
UPDATE a2acards
SET alias = regexp_replace(alias, '[^_]*$', '')
    || translate(left(md5(CAST(numbered.id AS text)), 6), '0123456789', 'ghijklmnop')
FROM numbered WHERE numbered.id = a2acards.id AND place > 1;
