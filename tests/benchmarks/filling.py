"""Fills a database with users who all have the same: agents, a flow, and chats with their logs."""

from hashlib import md5
from uuid import UUID

import psycopg
from psycopg import sql

from shared.settings.installation import Settings

AGENTS = 10  # of each user, half of them active
CHATS = 20  # of each user, with a question and its answer
LOGS = 10  # of each chat

# Ids are hashes of what a row is, so that rows of other tables can name them.
STATEMENTS = (
    """
    INSERT INTO users (id, username, password)
    SELECT md5('user' || n)::uuid, 'user' || n, '-' FROM generate_series(1, %(users)s) AS n
    """,
    """
    INSERT INTO modelproviders (id, creator_id, name, provider_metadata)
    SELECT md5('provider' || n)::uuid, md5('user' || n)::uuid, 'provider', '{}'
    FROM generate_series(1, %(users)s) AS n
    """,
    """
    INSERT INTO modelconfigs (id, creator_id, provider_id, name, model, system_prompt,
                              max_last_messages, temperature, credentials)
    SELECT md5('config' || n)::uuid, md5('user' || n)::uuid, md5('provider' || n)::uuid,
           'config', 'model', 'Be brief.', 5, 0.7, '{}'
    FROM generate_series(1, %(users)s) AS n
    """,
    """
    INSERT INTO agents (id, creator_id, alias, name, description, jwt, input_parameters, is_active)
    SELECT md5('agent' || n || ' ' || a)::uuid, md5('user' || n)::uuid, 'agent_' || n || '_' || a,
           'agent ' || a, 'An agent.', 'token ' || n || ' ' || a,
           '{"type": "function", "function": {"name": "agent", "parameters": {}}}', a %% 2 = 0
    FROM generate_series(1, %(users)s) AS n, generate_series(1, %(agents)s) AS a
    """,
    """
    INSERT INTO agentworkflows (id, creator_id, alias, name, description, flow, is_active)
    SELECT md5('flow' || n)::uuid, md5('user' || n)::uuid, 'flow_' || n, 'flow', 'A flow.',
           json_build_array(
               json_build_object('id', md5('agent' || n || ' 2')::uuid, 'type', 'genai'),
               json_build_object('id', md5('agent' || n || ' 4')::uuid, 'type', 'genai')
           ), true
    FROM generate_series(1, %(users)s) AS n
    """,
    """
    INSERT INTO chatconversations (session_id, creator_id, title, last_seq)
    SELECT md5('chat' || n || ' ' || c)::uuid, md5('user' || n)::uuid, 'chat ' || c, %(logs)s + 1
    FROM generate_series(1, %(users)s) AS n, generate_series(1, %(chats)s) AS c
    """,
    """
    INSERT INTO requests (id, session_id, creator_id, status, seq, deadline, ended_at)
    SELECT session_id, session_id, creator_id, 'answered', last_seq, now(), now()
    FROM chatconversations
    """,
    """
    INSERT INTO chatmessages (id, request_id, conversation_id, sender_type, content)
    SELECT gen_random_uuid(), session_id, session_id, sender, '{"response": "An answer."}'
    FROM chatconversations, unnest('{user, master_agent}'::sendertype[]) AS sender
    """,
    """
    INSERT INTO logs (session_id, request_id, creator_id, agent_id, message, log_level, seq)
    SELECT session_id, session_id, creator_id, 'master_server_ml', 'entry ' || seq, 'info', seq
    FROM chatconversations, generate_series(1, %(logs)s) AS seq
    """,
)
INDEXES = """
    SELECT indexname, indexdef FROM pg_indexes
    WHERE schemaname = 'public' AND tablename = ANY(%s) AND indexname NOT IN (
        SELECT conname FROM pg_constraint
    )
"""
LARGE = ["agents", "chatconversations", "chatmessages", "logs", "requests"]


def user_id(number: int) -> UUID:
    """The id of one of the users, who are counted from 1."""
    return _hash(f"user{number}")


def session_id(number: int, chat: int) -> UUID:
    """The id of one of a user's chats, which are counted from 1."""
    return _hash(f"chat{number} {chat}")


def fill(settings: Settings, users: int) -> None:
    """Fill an empty database; of a large one in some tens of seconds, indexes last."""
    values = {"users": users, "agents": AGENTS, "chats": CHATS, "logs": LOGS}
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")  # the rows refer to each other
        connection.execute("SET maintenance_work_mem = '512MB'")
        indexes = connection.execute(INDEXES, [LARGE]).fetchall()
        with connection.transaction():
            for name, _ in indexes:
                connection.execute(sql.SQL("DROP INDEX {}").format(sql.Identifier(name)))
            for statement in STATEMENTS:
                connection.execute(statement.encode(), values)
            for _, definition in indexes:
                connection.execute(definition.encode())
        connection.execute("VACUUM (ANALYZE)")
        connection.execute("CHECKPOINT")  # it would be written while something else is measured


def _hash(text: str) -> UUID:
    return UUID(md5(text.encode(), usedforsecurity=False).hexdigest())
