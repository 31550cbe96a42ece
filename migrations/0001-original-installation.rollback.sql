-- Takes everything away, the data too.

DROP TABLE
    logs,
    files,
    chatmessages,
    chatconversations,
    modelconfigs,
    modelproviders,
    a2acards,
    mcptools,
    mcpservers,
    agentflow_project_associations,
    agentworkflows,
    agent_project_associations,
    agents,
    user_project_associations,
    projects,
    user_team_associations,
    teams,
    userprofiles,
    users;

DROP TYPE sendertype;
