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

DROP FUNCTION usable_agent(uuid, uuid);
DROP FUNCTION usable_flow(uuid, uuid);
DROP FUNCTION usable_config(uuid, uuid);
DROP FUNCTION usable_server(uuid, uuid);
DROP FUNCTION usable_card(uuid, uuid);
