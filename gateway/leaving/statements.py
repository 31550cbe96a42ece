"""What adds the things of an archive to what a user has, some at a time; each tells how many."""

PROFILE = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (first_name text, last_name text)
    ), added AS (
        UPDATE userprofiles SET first_name = new.first_name, last_name = new.last_name
        FROM new
        WHERE user_id = :owner AND userprofiles.first_name IS NULL
          AND userprofiles.last_name IS NULL
        RETURNING 1
    )
    SELECT count(*) FROM added
"""
PROVIDERS = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (id uuid, provider text, created_at timestamp, updated_at timestamp)
    ), added AS (
        INSERT INTO modelproviders (id, name, provider_metadata, creator_id, created_at, updated_at)
        SELECT id, provider, '{}', CAST(:owner AS uuid), created_at, updated_at FROM new
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM added
"""
CONFIGS = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (id uuid, name text, model text, provider text, system_prompt text, user_prompt text,
             temperature float8, max_last_messages int, created_at timestamp, updated_at timestamp)
    ), added AS (
        INSERT INTO modelconfigs
            (id, name, model, provider_id, system_prompt, user_prompt, max_last_messages,
             temperature, credentials, creator_id, created_at, updated_at)
        SELECT new.id, new.name, model, modelproviders.id, system_prompt, user_prompt,
               max_last_messages, temperature, '{}', creator_id, new.created_at, new.updated_at
        FROM new JOIN modelproviders ON creator_id = :owner AND modelproviders.name = provider
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM added
"""
AGENTS = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (id uuid, name text, alias text, description text, input_parameters json, jwt text,
             created_at timestamp, updated_at timestamp)
    ), added AS (
        INSERT INTO agents
            (id, name, alias, description, input_parameters, jwt, creator_id, is_active,
             created_at, updated_at)
        SELECT id, name, alias, description, input_parameters, jwt, CAST(:owner AS uuid), false,
               created_at, updated_at
        FROM new
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM added
"""
# What they are is looked up again, which finds out whether they are active, and fills in the rest.
SERVERS = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (id uuid, name text, description text, server_url text, tools json,
             created_at timestamp, updated_at timestamp)
    ), added AS (
        INSERT INTO mcpservers
            (id, name, description, server_url, creator_id, is_active, created_at, updated_at)
        SELECT id, name, description, server_url, CAST(:owner AS uuid), false, created_at,
               updated_at
        FROM new
        ON CONFLICT DO NOTHING RETURNING id
    ), tools AS (
        INSERT INTO mcptools
            (id, name, description, "inputSchema", annotations, alias, mcp_server_id)
        SELECT tool.id, tool.name, tool.description, "inputSchema",
               CASE WHEN json_typeof(annotations) = 'object' THEN annotations END, alias, new.id
        FROM new JOIN added USING (id)
        CROSS JOIN LATERAL json_to_recordset(tools) AS tool
            (id uuid, name text, description text, "inputSchema" json, annotations json,
             alias text)
    )
    SELECT count(*) FROM added
"""
CARDS = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (id uuid, name text, alias text, description text, server_url text, card_content json,
             created_at timestamp, updated_at timestamp)
    ), added AS (
        INSERT INTO a2acards
            (id, name, alias, description, server_url, card_content, creator_id, is_active,
             created_at, updated_at)
        SELECT id, name, alias, description, server_url, card_content, CAST(:owner AS uuid), false,
               created_at, updated_at
        FROM new
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM added
"""
FLOWS = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (id uuid, name text, alias text, description text, flow json,
             created_at timestamp, updated_at timestamp)
    ), whole AS (
        SELECT * FROM new WHERE NOT EXISTS (
            SELECT FROM json_to_recordset(flow) AS member (id uuid, type text)
            WHERE NOT EXISTS (
                SELECT FROM agents
                WHERE type = 'genai' AND agents.id = member.id AND creator_id = :owner
                UNION ALL
                SELECT FROM mcptools JOIN mcpservers ON mcpservers.id = mcp_server_id
                WHERE type = 'mcp' AND mcptools.id = member.id AND creator_id = :owner
                UNION ALL
                SELECT FROM a2acards
                WHERE type = 'a2a' AND a2acards.id = member.id AND creator_id = :owner
            )
        )
    ), added AS (
        INSERT INTO agentworkflows
            (id, name, alias, description, flow, creator_id, is_active, created_at, updated_at)
        SELECT id, name, alias, description, flow, CAST(:owner AS uuid), true, created_at,
               updated_at
        FROM whole
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM added
"""
CHATS = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (session_id uuid, title text, origin text, created_at timestamp, updated_at timestamp)
    ), added AS (
        INSERT INTO chatconversations
            (session_id, title, origin, creator_id, created_at, updated_at, last_event_at)
        SELECT session_id, title, origin, CAST(:owner AS uuid), created_at, updated_at,
               least(updated_at, timezone('utc', now()))
        FROM new
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM added
"""
MESSAGES = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (id uuid, session_id uuid, request_id uuid, sender_type text, content text,
             extra_metadata json, created_at timestamp, updated_at timestamp)
    ), added AS (
        INSERT INTO chatmessages
            (id, request_id, sender_type, content, extra_metadata, conversation_id, created_at,
             updated_at, owner_id)
        SELECT id, request_id, CAST(sender_type AS sendertype), content,
               CASE WHEN json_typeof(extra_metadata) = 'object' THEN extra_metadata END,
               session_id, least(new.created_at, timezone('utc', now())), new.updated_at,
               creator_id
        FROM new JOIN chatconversations USING (session_id) WHERE creator_id = :owner
        ON CONFLICT DO NOTHING RETURNING 1
    )
    SELECT count(*) FROM added
"""
# They get numbers behind those of the ones that are there, by which front-ends go on.
REQUESTS = """
    WITH new AS (
        SELECT *, row_number() OVER () AS place
        FROM json_to_recordset(CAST(:rows AS json)) AS new
            (request_id uuid, session_id uuid, message_id uuid, status text,
             created_at timestamptz, sent_at timestamptz, ended_at timestamptz,
             deadline timestamptz, execution_time float8, error text, usage jsonb)
    ), numbered AS (
        SELECT new.*, last_seq + row_number() OVER (PARTITION BY session_id ORDER BY place) AS seq
        FROM new JOIN chatconversations USING (session_id) WHERE creator_id = :owner
    ), counted AS (
        UPDATE chatconversations SET last_seq = newest.seq
        FROM (SELECT session_id, max(seq) AS seq FROM numbered GROUP BY session_id) AS newest
        WHERE chatconversations.session_id = newest.session_id
    ), added AS (
        INSERT INTO requests
            (id, session_id, creator_id, message_id, status, created_at, sent_at, ended_at,
             deadline, execution_time, error, usage, seq)
        SELECT request_id, session_id, CAST(:owner AS uuid), message_id, status, created_at,
               sent_at, ended_at, deadline, execution_time, error,
               CASE WHEN jsonb_typeof(usage) = 'array' THEN usage END, seq
        FROM numbered ORDER BY place
        RETURNING 1
    )
    SELECT count(*) FROM added
"""
ENTRIES = """
    WITH new AS (
        SELECT *, row_number() OVER () AS place
        FROM json_to_recordset(CAST(:rows AS json)) AS new
            (session_id uuid, request_id uuid, log_level text, message text, agent_id text,
             created_at timestamp, updated_at timestamp)
    ), added AS (
        INSERT INTO logs
            (session_id, request_id, creator_id, log_level, message, agent_id, created_at,
             updated_at)
        SELECT session_id, request_id, creator_id, log_level, message, agent_id,
               least(new.created_at, timezone('utc', now())), new.updated_at
        FROM new JOIN chatconversations USING (session_id) WHERE creator_id = :owner
        ORDER BY place
        RETURNING 1
    )
    SELECT count(*) FROM added
"""
# In place of the notes of their objects; a trigger adds each to the message that it names.
FILES = """
    WITH new AS (
        SELECT * FROM json_to_recordset(CAST(:rows AS json)) AS new
            (id uuid, session_id uuid, request_id uuid, original_name text, internal_name text,
             mimetype text, from_agent boolean, size bigint, created_at timestamp)
    ), object AS (
        DELETE FROM stray_objects USING new
        WHERE stray_objects.internal_name = new.internal_name AND is_upload
        RETURNING stray_objects.internal_name
    ), added AS (
        INSERT INTO files
            (id, session_id, request_id, creator_id, original_name, internal_name, internal_id,
             mimetype, from_agent, size, created_at)
        SELECT new.id, chat.session_id, asked.id, CAST(:owner AS uuid), original_name,
               internal_name, new.id, mimetype, from_agent, size,
               least(new.created_at, timezone('utc', now()))
        FROM new JOIN object USING (internal_name)
        LEFT JOIN chatconversations AS chat
            ON chat.session_id = new.session_id AND chat.creator_id = :owner
        LEFT JOIN requests AS asked
            ON asked.id = new.request_id AND asked.session_id = chat.session_id
        RETURNING 1
    )
    SELECT count(*) FROM added
"""
USES = """
    INSERT INTO file_uses (file_id, session_id, request_id)
    SELECT files.id, chat.session_id, asked.id
    FROM json_to_recordset(CAST(:rows AS json)) AS new (id uuid, uses json)
    JOIN files ON files.id = new.id AND files.creator_id = :owner
    CROSS JOIN LATERAL ROWS FROM (
        json_to_recordset(uses) AS (session_id uuid, request_id uuid)
    ) WITH ORDINALITY AS used (session_id, request_id, place)
    JOIN chatconversations AS chat
        ON chat.session_id = used.session_id AND chat.creator_id = :owner
    LEFT JOIN requests AS asked
        ON asked.id = used.request_id AND asked.session_id = chat.session_id
    WHERE used.request_id IS NULL OR asked.id IS NOT NULL
    ORDER BY files.id, place
    ON CONFLICT DO NOTHING
"""
