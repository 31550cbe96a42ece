"""One object of each kind, or many, written by SQL; every text in them holds a marker."""

import json
from collections.abc import Iterable
from typing import Any
from uuid import UUID, uuid4

import attrs
from attrs import field, frozen

from shared.secrets import Vault
from shared.settings.installation import Settings
from shared.tokens import issue_agent_token, issue_user_token
from tests.sql import Sql
from tests.system import System


def _id() -> str:
    return str(uuid4())


@frozen
class Belongings:
    """What a user has, by the names under which it is asked for.

    Made by itself it is what nobody has: ids of nothing.
    """

    user_id: str = field(factory=_id)
    agent_id: str = field(factory=_id)
    server_id: str = field(factory=_id)
    tool_id: str = field(factory=_id)
    card_id: str = field(factory=_id)
    flow_id: str = field(factory=_id)
    session_id: str = field(factory=_id)
    request_id: str = field(factory=_id)
    running_id: str = field(factory=_id)
    file_id: str = field(factory=_id)
    provider_id: str = field(factory=_id)
    config_id: str = field(factory=_id)
    publication_id: str = field(factory=_id)
    sign_in_id: str = field(factory=_id)
    identity_id: str = field(factory=_id)
    key_id: str = field(factory=_id)
    group_id: str = field(factory=_id)
    share_id: str = field(factory=_id)
    published: str = field(factory=lambda: f"published{uuid4().hex}")
    marker: str = field(factory=lambda: f"marker{uuid4().hex}")
    agent_token: str = ""
    api_key: str = ""

    @property
    def secrets(self) -> set[str]:
        """What nobody but the owner may be told."""
        return {self.marker, self.agent_token, self.api_key}


def make_belongings(settings: Settings, user_id: str) -> Belongings:
    """What a user will have; nothing is stored yet."""
    new = Belongings(user_id=user_id)
    token = issue_agent_token(settings.secret_key, UUID(new.agent_id), UUID(user_id))
    vault, row = Vault(settings.encryption_keys), UUID(new.provider_id)
    key = vault.encrypt(new.marker, "modelproviders", row, "api_key")
    return attrs.evolve(new, agent_token=token, api_key=key)


def insert_person(sql: Sql, system: System) -> Belongings:
    """A user with a profile and one object of each kind."""
    new = make_belongings(system.settings, _id())
    sql(
        """
        WITH person AS (
            INSERT INTO users (id, username, password, email) VALUES (%s, %s, '-', %s)
            RETURNING id, username
        )
        INSERT INTO userprofiles (id, user_id, first_name, last_name)
        SELECT gen_random_uuid(), id, username, username FROM person
        """,
        *(new.user_id, new.marker, f"{new.marker}@example.com"),
    )
    insert_belongings(sql, [new])
    (system.files / f"{new.file_id}.txt").write_text(new.marker)
    return new


def user_token(settings: Settings, owner: Belongings) -> str:
    """A token of the user, of the sign-in that he has."""
    return issue_user_token(settings.secret_key, UUID(owner.user_id), UUID(owner.sign_in_id))


def insert_belongings(sql: Sql, new: Iterable[Belongings]) -> None:
    """Store any number of objects of each kind; the files have no bytes."""
    sql(INSERT, json.dumps([attrs.asdict(each) for each in new]))


def select_belongings(sql: Sql, owner: Belongings) -> dict[str, Any]:
    """All rows of a user.

    But not what the gateway finds out by itself: whether servers can be reached, which key came
    last, and when an answer was first given to somebody.
    """
    [rows] = sql(SELECT, owner.user_id)
    return rows


# The agents, tools and cards are active, and make up the flow. The user shares all that can be with
# his group, in which nobody else is.
INSERT = """
    WITH new AS (
        SELECT * FROM json_to_recordset(%s) AS new (
            user_id uuid, agent_id uuid, server_id uuid, tool_id uuid, card_id uuid, flow_id uuid,
            session_id uuid, request_id uuid, running_id uuid, file_id uuid, provider_id uuid,
            config_id uuid, publication_id uuid, sign_in_id uuid, identity_id uuid, key_id uuid,
            group_id uuid, share_id uuid,
            published text, marker text, agent_token text, api_key text
        )
    ), agent AS (
        INSERT INTO agents
            (id, creator_id, alias, name, description, jwt, input_parameters, is_active)
        SELECT agent_id, user_id, marker || '_agent', marker, marker, agent_token,
               json_build_object('type', 'function', 'function', json_build_object(
                   'name', marker, 'description', marker, 'parameters', json_build_object()
               )), true
        FROM new
    ), server AS (
        INSERT INTO mcpservers (id, creator_id, name, description, server_url, is_active)
        SELECT server_id, user_id, marker, marker, 'http://127.0.0.1:9/mcp/' || marker, true
        FROM new
    ), tool AS (
        INSERT INTO mcptools (id, mcp_server_id, name, description, "inputSchema", alias)
        SELECT tool_id, server_id, marker, marker, json_build_object('title', marker),
               marker || '_tool'
        FROM new
    ), card AS (
        INSERT INTO a2acards
            (id, creator_id, name, alias, description, server_url, card_content, is_active)
        SELECT card_id, user_id, marker, marker || '_card', marker,
               'http://127.0.0.1:9/' || marker, json_build_object('name', marker), true
        FROM new
    ), flow AS (
        INSERT INTO agentworkflows
            (id, creator_id, alias, name, description, flow, is_active)
        SELECT flow_id, user_id, marker || '_flow', marker, marker, json_build_array(
                   json_build_object('id', agent_id, 'type', 'genai'),
                   json_build_object('id', tool_id, 'type', 'mcp'),
                   json_build_object('id', card_id, 'type', 'a2a')
               ), true
        FROM new
    ), chat AS (
        INSERT INTO chatconversations (session_id, creator_id, title, last_seq)
        SELECT session_id, user_id, marker, 2 FROM new
    ), request AS (
        INSERT INTO requests
            (id, session_id, creator_id, status, seq, deadline, ended_at, config_name,
             publication_id)
        SELECT request_id, session_id, user_id, 'answered', 2, now(), now(), marker,
               publication_id
        FROM new
    ), running AS (
        INSERT INTO requests
            (id, session_id, creator_id, status, deadline, sent_at, claim_id, lease_until)
        SELECT running_id, session_id, user_id, 'running', 'infinity', now(), gen_random_uuid(),
               'infinity'
        FROM new
    ), message AS (
        INSERT INTO chatmessages
            (id, request_id, conversation_id, owner_id, sender_type, content)
        SELECT gen_random_uuid(), request_id, session_id, user_id, sender, CAST(json_build_object(
                   'agents_trace', json_build_array(), 'response', marker, 'is_success', true
               ) AS text)
        FROM new CROSS JOIN unnest(CAST('{user, master_agent}' AS sendertype[])) AS sender
    ), entry AS (
        INSERT INTO logs
            (session_id, request_id, creator_id, agent_id, message, log_level, seq)
        SELECT session_id, request_id, user_id, agent_id, marker, 'info', 1 FROM new
    ), used AS (
        INSERT INTO usage_days
        SELECT user_id, timezone('utc', now()), marker, 1, 5, 0, 2, 0.5, 0 FROM new
    ), file AS (
        INSERT INTO files
            (id, creator_id, session_id, request_id, original_name, internal_name, internal_id,
             mimetype, from_agent, size)
        SELECT file_id, user_id, session_id, request_id, marker, file_id || '.txt', file_id,
               'text/plain', false, length(marker)
        FROM new
    ), provider AS (
        INSERT INTO modelproviders (id, creator_id, name, api_key, provider_metadata)
        SELECT provider_id, user_id, marker, api_key, json_build_object('note', marker) FROM new
    ), config AS (
        INSERT INTO modelconfigs
            (id, creator_id, provider_id, name, model, system_prompt, user_prompt,
             max_last_messages, temperature, credentials)
        SELECT config_id, user_id, provider_id, marker, marker, marker, marker, 5, 0.7,
               json_build_object('note', marker)
        FROM new
    ), sign_in AS (
        INSERT INTO sign_ins (id, user_id, method, device, address, expires_at)
        SELECT id, user_id, 'password', marker, '127.0.0.1', now() + interval '6 hours'
        FROM new CROSS JOIN unnest(array[sign_in_id, gen_random_uuid()]) AS id
    ), identity AS (
        INSERT INTO identities (id, user_id, provider, issuer, subject, name)
        SELECT id, user_id, 'acme', 'https://id.example.com', id, marker
        FROM new CROSS JOIN unnest(array[identity_id, gen_random_uuid()]) AS id
    ), key AS (
        INSERT INTO api_keys (id, user_id, name, hash, start, scopes, networks)
        SELECT key_id, user_id, marker, sha256(uuid_send(key_id)), '', '{chat}', '{}' FROM new
    ), team AS (
        INSERT INTO groups (id, name) SELECT group_id, marker FROM new
    ), manager AS (
        INSERT INTO group_members (group_id, user_id, role)
        SELECT group_id, user_id, 'manager' FROM new
    ), share AS (
        INSERT INTO shares
            (id, group_id, owner_id, agent_id, flow_id, config_id, server_id, card_id)
        SELECT id, group_id, user_id, agent, flow, config, server, card
        FROM new CROSS JOIN LATERAL (VALUES
            (share_id, agent_id, NULL, NULL, NULL, NULL),
            (gen_random_uuid(), NULL, flow_id, NULL, NULL, NULL),
            (gen_random_uuid(), NULL, NULL, config_id, NULL, NULL),
            (gen_random_uuid(), NULL, NULL, NULL, server_id, NULL),
            (gen_random_uuid(), NULL, NULL, NULL, NULL, card_id)
        ) AS share (id, agent, flow, config, server, card)
    )
    INSERT INTO publications (id, alias, creator_id, config_id)
    SELECT publication_id, published, user_id, config_id FROM new
"""

SELECT = """
    WITH own AS (SELECT CAST(%s AS uuid) AS id),
    chat AS (SELECT chat.* FROM chatconversations AS chat JOIN own ON own.id = creator_id),
    server AS (SELECT server.* FROM mcpservers AS server JOIN own ON own.id = creator_id)
    SELECT
        (SELECT json_agg(one) FROM users AS one WHERE id = own.id) AS users,
        (SELECT json_agg(one) FROM userprofiles AS one WHERE user_id = own.id) AS profiles,
        (SELECT json_agg(one ORDER BY one.id) FROM agents AS one
         WHERE creator_id = own.id) AS agents,
        (SELECT json_agg(to_jsonb(one) - CAST('{is_active, updated_at}' AS text[]) ORDER BY one.id)
         FROM server AS one) AS servers,
        (SELECT json_agg(one ORDER BY one.id) FROM mcptools AS one
         WHERE mcp_server_id IN (SELECT id FROM server)) AS tools,
        (SELECT json_agg(to_jsonb(one) - CAST('{is_active, updated_at}' AS text[]) ORDER BY one.id)
         FROM a2acards AS one WHERE creator_id = own.id) AS cards,
        (SELECT json_agg(one ORDER BY one.id) FROM agentworkflows AS one
         WHERE creator_id = own.id) AS flows,
        (SELECT json_agg(chat ORDER BY session_id) FROM chat) AS chats,
        (SELECT json_agg(one ORDER BY one.id) FROM chatmessages AS one
         WHERE conversation_id IN (SELECT session_id FROM chat)) AS messages,
        (SELECT json_agg(to_jsonb(one) - 'delivered_at' ORDER BY one.id) FROM requests AS one
         WHERE creator_id = own.id OR session_id IN (SELECT session_id FROM chat)) AS requests,
        (SELECT json_agg(one ORDER BY one.id) FROM logs AS one
         WHERE creator_id = own.id OR session_id IN (SELECT session_id FROM chat)) AS logs,
        (SELECT json_agg(one ORDER BY one.id) FROM files AS one
         WHERE creator_id = own.id OR session_id IN (SELECT session_id FROM chat)) AS files,
        (SELECT json_agg(one ORDER BY one.id) FROM modelproviders AS one
         WHERE creator_id = own.id) AS providers,
        (SELECT json_agg(one ORDER BY one.id) FROM modelconfigs AS one
         WHERE creator_id = own.id) AS configs,
        (SELECT json_agg(one ORDER BY one.id) FROM publications AS one
         WHERE creator_id = own.id) AS publications,
        (SELECT json_agg(one) FROM one_time_tokens AS one WHERE user_id = own.id) AS tokens,
        (SELECT json_agg(one ORDER BY one.id) FROM sign_ins AS one
         WHERE user_id = own.id) AS sign_ins,
        (SELECT json_agg(one ORDER BY one.id) FROM identities AS one
         WHERE user_id = own.id) AS identities,
        (SELECT json_agg(
             to_jsonb(one) - CAST('{used_at, used_address}' AS text[]) ORDER BY one.id
         ) FROM api_keys AS one WHERE user_id = own.id) AS keys,
        (SELECT json_agg(one ORDER BY one.purpose) FROM one_time_tokens AS one
         WHERE user_id = own.id) AS one_time_tokens,
        (SELECT json_agg(one ORDER BY one.group_id, one.user_id) FROM group_members AS one
         WHERE group_id IN (SELECT group_id FROM group_members
                            WHERE user_id = own.id AND role = 'manager')) AS members,
        (SELECT json_agg(one ORDER BY one.id) FROM groups AS one
         WHERE id IN (SELECT group_id FROM group_members
                      WHERE user_id = own.id AND role = 'manager')) AS groups,
        (SELECT json_agg(one ORDER BY one.id) FROM shares AS one
         WHERE owner_id = own.id) AS shares
    FROM own
"""
