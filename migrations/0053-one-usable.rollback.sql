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

DROP FUNCTION usable_agent(uuid, uuid);
DROP FUNCTION usable_flow(uuid, uuid);
DROP FUNCTION usable_config(uuid, uuid);
DROP FUNCTION usable_server(uuid, uuid);
DROP FUNCTION usable_card(uuid, uuid);
