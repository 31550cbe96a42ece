"""What is taken along of a user: for each kind the statement that reads a page of it.

The columns are those of the REST API, of which an import makes the same again elsewhere; what is
an installation's own, or secret, is left out. A page goes on behind the last row of the one before,
whose `after_…` say which that was; nothing is read twice, and no snapshot is held.
"""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any
from uuid import UUID

from attrs import frozen

_ID: Mapping[str, Any] = MappingProxyType({"after_id": UUID(int=0)})
_NUMBER: Mapping[str, Any] = MappingProxyType({"after_id": -1})
_TEXT: Mapping[str, Any] = MappingProxyType({"after_id": ""})
_TIME: Mapping[str, Any] = MappingProxyType({"after_at": datetime.min, "after_id": UUID(int=0)})  # noqa: DTZ901


@frozen
class Kind:
    """A kind of thing, told as a JSON line each."""

    name: str
    sql: str
    first: Mapping[str, Any] = _ID
    """What is before the first."""
    of_chat: bool = False
    """Whether it is read chat by chat."""

    @property
    def entry(self) -> str:
        """The file of the archive."""
        return f"{self.name}.jsonl"


PROFILE = Kind(
    "profile",
    """
    SELECT users.id, username, first_name, last_name, email, users.created_at,
           users.id AS after_id, 512 AS bytes
    FROM users LEFT JOIN userprofiles ON user_id = users.id
    WHERE users.id = :owner AND users.id > :after_id
    ORDER BY users.id LIMIT :limit OFFSET :offset
    """,
)
PROVIDERS = Kind(
    "model_providers",
    """
    SELECT id, name AS provider, created_at, updated_at, id AS after_id, 512 AS bytes
    FROM modelproviders WHERE creator_id = :owner AND id > :after_id
    ORDER BY id LIMIT :limit OFFSET :offset
    """,
)
CONFIGS = Kind(
    "model_configs",
    """
    SELECT config.id, config.name, model, provider.name AS provider, system_prompt,
           coalesce(user_prompt, '') AS user_prompt, temperature, max_last_messages,
           config.created_at, config.updated_at, config.id AS after_id,
           512 + octet_length(system_prompt) + coalesce(octet_length(user_prompt), 0) AS bytes
    FROM modelconfigs AS config JOIN modelproviders AS provider ON provider.id = provider_id
    WHERE config.creator_id = :owner AND config.id > :after_id
    ORDER BY config.id LIMIT :limit OFFSET :offset
    """,
)
AGENTS = Kind(
    "agents",
    """
    SELECT id AS agent_id, name AS agent_name, alias AS agent_alias,
           description AS agent_description, input_parameters AS agent_schema, is_active,
           created_at, updated_at, id AS after_id,
           512 + octet_length(description) + octet_length(CAST(input_parameters AS text)) AS bytes
    FROM agents WHERE creator_id = :owner AND id > :after_id
    ORDER BY id LIMIT :limit OFFSET :offset
    """,
)
SERVERS = Kind(
    "mcp_servers",
    """
    SELECT id, name, description, server_url, is_active, created_at, updated_at, server_info,
           (SELECT coalesce(json_agg(json_build_object(
                'id', tool.id, 'name', name, 'description', description,
                'inputSchema', "inputSchema", 'annotations', annotations, 'alias', alias
            ) ORDER BY created_at, tool.id), '[]')
            FROM mcptools AS tool WHERE mcp_server_id = mcpservers.id) AS mcp_tools,
           id AS after_id,
           1024 + (SELECT coalesce(sum(octet_length(CAST("inputSchema" AS text))), 0)
                   FROM mcptools WHERE mcp_server_id = mcpservers.id) AS bytes
    FROM mcpservers WHERE creator_id = :owner AND id > :after_id
    ORDER BY id LIMIT :limit OFFSET :offset
    """,
)
CARDS = Kind(
    "a2a_agents",
    """
    SELECT id, name, alias, description, server_url, card_content, card_url, is_active,
           created_at, updated_at, id AS after_id,
           1024 + octet_length(CAST(card_content AS text)) AS bytes
    FROM a2acards WHERE creator_id = :owner AND id > :after_id
    ORDER BY id LIMIT :limit OFFSET :offset
    """,
)
FLOWS = Kind(
    "flows",
    """
    SELECT id, name, alias, description, flow, created_at, updated_at, id AS after_id,
           512 + octet_length(description) + 8 * octet_length(CAST(flow AS text)) AS bytes
    FROM agentworkflows WHERE creator_id = :owner AND id > :after_id
    ORDER BY id LIMIT :limit OFFSET :offset
    """,
)
CHATS = Kind(
    "chats",
    """
    SELECT session_id, title, origin, created_at, updated_at,
           created_at AS after_at, session_id AS after_id, 256 + octet_length(title) AS bytes
    FROM chatconversations
    WHERE creator_id = :owner
      AND (created_at, session_id) > (CAST(:after_at AS timestamp), CAST(:after_id AS uuid))
    ORDER BY created_at, session_id LIMIT :limit OFFSET :offset
    """,
    _TIME,
)
MESSAGES = Kind(
    "messages",
    """
    SELECT message.id, session_id, request_id, sender_type, content, extra_metadata,
           message.created_at, message.updated_at,
           message.created_at AS after_at, message.id AS after_id,
           512 + octet_length(content) AS bytes
    FROM chatmessages AS message JOIN chatconversations ON session_id = conversation_id
    WHERE conversation_id = :session_id AND creator_id = :owner
      AND (message.created_at, message.id)
          > (CAST(:after_at AS timestamp), CAST(:after_id AS uuid))
    ORDER BY message.created_at, message.id LIMIT :limit OFFSET :offset
    """,
    _TIME,
    of_chat=True,
)
REQUESTS = Kind(
    "requests",
    """
    SELECT id AS request_id, session_id, message_id, status, created_at, sent_at, ended_at,
           deadline, execution_time, error, usage, position AS after_id,
           512 + coalesce(octet_length(error), 0) + coalesce(pg_column_size(usage), 0) AS bytes
    FROM requests
    WHERE session_id = :session_id AND creator_id = :owner AND position > :after_id
    ORDER BY position LIMIT :limit OFFSET :offset
    """,
    _NUMBER,
    of_chat=True,
)
ENTRIES = Kind(
    "log_entries",
    """
    SELECT session_id, request_id, log_level, message, agent_id, logs.created_at,
           logs.updated_at, logs.id AS after_id, 512 + octet_length(message) AS bytes
    FROM logs JOIN chatconversations USING (session_id)
    WHERE session_id = :session_id AND chatconversations.creator_id = :owner
      AND logs.id > :after_id
    ORDER BY logs.id LIMIT :limit OFFSET :offset
    """,
    _NUMBER,
    of_chat=True,
)
FILES = Kind(
    "files",
    """
    SELECT id, session_id, request_id, original_name, mimetype, from_agent, size, created_at,
           (SELECT coalesce(json_agg(json_build_object(
                'session_id', used.session_id, 'request_id', used.request_id
            ) ORDER BY position), '[]') FROM file_uses AS used WHERE file_id = files.id) AS uses,
           internal_name AS after_name, id AS after_id, 1024 AS bytes
    FROM files WHERE creator_id = :owner AND id > :after_id
    ORDER BY id LIMIT :limit OFFSET :offset
    """,
)
TAKEN = [
    PROFILE,
    *(PROVIDERS, CONFIGS, AGENTS, SERVERS, CARDS, FLOWS),
    *(CHATS, MESSAGES, REQUESTS, ENTRIES, FILES),
]
"""What an import makes again, in an order in which nothing names what comes later."""

TOLD = [
    Kind(
        "publications",
        """
        SELECT id, alias, agent_id, flow_id, config_id, created_at, id AS after_id, 512 AS bytes
        FROM publications WHERE creator_id = :owner AND id > :after_id
        ORDER BY id LIMIT :limit OFFSET :offset
        """,
    ),
    Kind(
        "groups",
        """
        SELECT groups.id, groups.name, role, group_members.created_at, groups.id AS after_id,
               512 AS bytes
        FROM group_members JOIN groups ON groups.id = group_id
        WHERE user_id = :owner AND groups.id > :after_id
        ORDER BY groups.id LIMIT :limit OFFSET :offset
        """,
    ),
    Kind(
        "shares",
        """
        SELECT id, group_id, agent_id, flow_id, config_id, server_id, card_id, created_at,
               id AS after_id, 512 AS bytes
        FROM shares WHERE owner_id = :owner AND id > :after_id
        ORDER BY id LIMIT :limit OFFSET :offset
        """,
    ),
    Kind(
        "api_keys",
        """
        SELECT id, name, start, scopes, networks, created_at, expires_at, used_at,
               id AS after_id, 512 AS bytes
        FROM api_keys WHERE user_id = :owner AND id > :after_id
        ORDER BY id LIMIT :limit OFFSET :offset
        """,
    ),
    Kind(
        "sign_ins",
        """
        SELECT id, method, device, address, created_at, used_at, expires_at, ended_at,
               id AS after_id, 512 AS bytes
        FROM sign_ins WHERE user_id = :owner AND id > :after_id
        ORDER BY id LIMIT :limit OFFSET :offset
        """,
    ),
    Kind(
        "identities",
        """
        SELECT id, provider, issuer, subject, name, created_at, used_at,
               id AS after_id, 512 AS bytes
        FROM identities WHERE user_id = :owner AND id > :after_id
        ORDER BY id LIMIT :limit OFFSET :offset
        """,
    ),
    Kind(
        "usage",
        """
        SELECT CAST(day AS text) AS day, model, requests, input_tokens, cached_tokens,
               output_tokens, CAST(price AS float8) AS price,
               CAST(day AS text) || model AS after_id, 512 AS bytes
        FROM usage_days WHERE user_id = :owner AND CAST(day AS text) || model > :after_id
        ORDER BY after_id LIMIT :limit OFFSET :offset
        """,
        _TEXT,
    ),
]
"""What is told to its owner, and stays where it is."""
