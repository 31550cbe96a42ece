-- One thing that a user may use is found by its id, whatever else is shared with him.
-- depends: 0052-due-requests

-- Among all that he may use it was looked for with all shares of all his groups, also where it was
-- his own. Each of these is put into the statement that names it, as `usable_agents` is; LIMIT
-- and OFFSET keep it a look-up for each, where otherwise all that there are could be read.

CREATE OR REPLACE FUNCTION usable_agent(a_user uuid, an_id uuid) RETURNS SETOF agents
    LANGUAGE sql STABLE AS $$
    SELECT agents.* FROM agents
    WHERE id = an_id AND (creator_id = a_user OR EXISTS (
        SELECT FROM shares JOIN group_members USING (group_id)
        WHERE agent_id = an_id AND user_id = a_user AND role <> 'invited' OFFSET 0
    ))
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION usable_flow(a_user uuid, an_id uuid) RETURNS SETOF agentworkflows
    LANGUAGE sql STABLE AS $$
    SELECT agentworkflows.* FROM agentworkflows
    WHERE id = an_id AND (creator_id = a_user OR EXISTS (
        SELECT FROM shares JOIN group_members USING (group_id)
        WHERE flow_id = an_id AND user_id = a_user AND role <> 'invited' OFFSET 0
    ))
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION usable_config(a_user uuid, an_id uuid) RETURNS SETOF modelconfigs
    LANGUAGE sql STABLE AS $$
    SELECT modelconfigs.* FROM modelconfigs
    WHERE id = an_id AND (creator_id = a_user OR EXISTS (
        SELECT FROM shares JOIN group_members USING (group_id)
        WHERE config_id = an_id AND user_id = a_user AND role <> 'invited' OFFSET 0
    ))
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION usable_server(a_user uuid, an_id uuid) RETURNS SETOF mcpservers
    LANGUAGE sql STABLE AS $$
    SELECT mcpservers.* FROM mcpservers
    WHERE id = an_id AND (creator_id = a_user OR EXISTS (
        SELECT FROM shares JOIN group_members USING (group_id)
        WHERE server_id = an_id AND user_id = a_user AND role <> 'invited' OFFSET 0
    ))
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION usable_card(a_user uuid, an_id uuid) RETURNS SETOF a2acards
    LANGUAGE sql STABLE AS $$
    SELECT a2acards.* FROM a2acards
    WHERE id = an_id AND (creator_id = a_user OR EXISTS (
        SELECT FROM shares JOIN group_members USING (group_id)
        WHERE card_id = an_id AND user_id = a_user AND role <> 'invited' OFFSET 0
    ))
    LIMIT 1
$$;

CREATE OR REPLACE FUNCTION may_use_agent(a_user uuid, an_agent uuid) RETURNS boolean
    LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM usable_agent(a_user, an_agent)) OR EXISTS (
        SELECT FROM usable_flows(a_user) AS flow
        JOIN agents ON agents.creator_id = flow.creator_id AND agents.id = an_agent
        CROSS JOIN LATERAL json_array_elements(flow.flow) AS member
        WHERE flow.creator_id <> a_user
          AND member ->> 'type' = 'genai' AND CAST(member ->> 'id' AS uuid) = an_agent
    )
$$;

-- Of all that he may use, shares of other kinds are left out before anything is looked up by them.

CREATE OR REPLACE FUNCTION usable_agents(uuid) RETURNS SETOF agents LANGUAGE sql STABLE AS $$
    SELECT agents.* FROM agents WHERE creator_id = $1
    UNION ALL
    SELECT agents.* FROM agents
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT agent_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited' AND agent_id IS NOT NULL
    ))
$$;

CREATE OR REPLACE FUNCTION usable_flows(uuid) RETURNS SETOF agentworkflows LANGUAGE sql STABLE AS $$
    SELECT agentworkflows.* FROM agentworkflows WHERE creator_id = $1
    UNION ALL
    SELECT agentworkflows.* FROM agentworkflows
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT flow_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited' AND flow_id IS NOT NULL
    ))
$$;

CREATE OR REPLACE FUNCTION usable_configs(uuid) RETURNS SETOF modelconfigs LANGUAGE sql STABLE AS $$
    SELECT modelconfigs.* FROM modelconfigs WHERE creator_id = $1
    UNION ALL
    SELECT modelconfigs.* FROM modelconfigs
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT config_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited' AND config_id IS NOT NULL
    ))
$$;

CREATE OR REPLACE FUNCTION usable_servers(uuid) RETURNS SETOF mcpservers LANGUAGE sql STABLE AS $$
    SELECT mcpservers.* FROM mcpservers WHERE creator_id = $1
    UNION ALL
    SELECT mcpservers.* FROM mcpservers
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT server_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited' AND server_id IS NOT NULL
    ))
$$;

CREATE OR REPLACE FUNCTION usable_cards(uuid) RETURNS SETOF a2acards LANGUAGE sql STABLE AS $$
    SELECT a2acards.* FROM a2acards WHERE creator_id = $1
    UNION ALL
    SELECT a2acards.* FROM a2acards
    WHERE creator_id <> $1 AND id = ANY(ARRAY(
        SELECT card_id FROM group_members JOIN shares USING (group_id)
        WHERE user_id = $1 AND role <> 'invited' AND card_id IS NOT NULL
    ))
$$;
