"""Somebody with one secret of each kind, stored as services of any version would."""

import json
from collections.abc import Iterable
from uuid import UUID, uuid4

from attrs import field, frozen

from shared.domain.grants import Grant, seal_grant
from shared.domain.headers import seal_headers
from shared.domain.options import CREDENTIALS, METADATA, seal_options
from shared.secrets import Vault
from shared.tokens import issue_agent_token
from tests.sql import Sql


@frozen
class Somebody:
    """The ids of somebody's rows, and what is secret in them."""

    owner: UUID = field(factory=uuid4)
    provider: UUID = field(factory=uuid4)
    config: UUID = field(factory=uuid4)
    agent: UUID = field(factory=uuid4)
    server: UUID = field(factory=uuid4)
    card: UUID = field(factory=uuid4)
    key: str = field(factory=lambda: f"sk-{uuid4().hex}")
    metadata: dict[str, str] = field(factory=lambda: {"token": uuid4().hex})
    credentials: dict[str, str] = field(factory=lambda: {"api_secret": f"ґ{uuid4().hex}"})
    headers: dict[str, str] = field(
        factory=lambda: {"Authorization": f"Bearer {uuid4().hex}", "X-Key": uuid4().hex}
    )
    grant: Grant = field(
        factory=lambda: Grant(
            {"client_id": "c", "client_secret": uuid4().hex},
            is_given=False,
            token_endpoint="http://as.example/token",
            access_token=uuid4().hex,
            refresh_token=uuid4().hex,
        )
    )


def insert_somebody(sql: Sql, secret_key: str, vault: Vault, *, in_clear: bool) -> Somebody:
    """Store their rows: with this vault's newest key, or what earlier services had in clear so."""
    one = Somebody()
    metadata: object = one.metadata
    credentials: object = one.credentials
    if not in_clear:
        metadata = seal_options(vault, METADATA, one.provider, one.metadata)
        credentials = seal_options(vault, CREDENTIALS, one.config, one.credentials)
    sql("INSERT INTO users (id, username, password) VALUES (%s, %s, '-')", one.owner, one.owner)
    sql(
        """
        INSERT INTO modelproviders (id, name, api_key, provider_metadata, creator_id)
        VALUES (%s, 'openai', %s, %s, %s)
        """,
        *(one.provider, vault.encrypt(one.key, "modelproviders", one.provider, "api_key")),
        *(json.dumps(metadata), one.owner),
    )
    sql(
        """
        INSERT INTO modelconfigs (id, name, model, provider_id, system_prompt, max_last_messages,
                                  temperature, credentials, creator_id)
        VALUES (%s, 'config', 'm', %s, '', 5, 0.7, %s, %s)
        """,
        *(one.config, one.provider, json.dumps(credentials), one.owner),
    )
    token = issue_agent_token(secret_key, one.agent, one.owner)
    sql(
        """
        INSERT INTO agents (id, alias, name, description, jwt, creator_id, input_parameters,
                            is_active)
        VALUES (%s, %s, 'agent', 'd', %s, %s, '{}', false)
        """,
        *(one.agent, f"agent_{one.agent}", token if in_clear else token.rpartition(".")[0]),
        one.owner,
    )
    _insert_servers(sql, vault, one)
    return one


def _insert_servers(sql: Sql, vault: Vault, one: Somebody) -> None:
    """What has headers, which nobody ever stored in clear."""
    sql(
        """
        INSERT INTO mcpservers (id, server_url, creator_id, is_active, headers, oauth)
        VALUES (%s, 'http://s.example', %s, true, %s, %s)
        """,
        *(one.server, one.owner),
        json.dumps(seal_headers(vault, "mcpservers", one.server, one.headers)),
        seal_grant(vault, one.server, one.grant),
    )
    sql(
        """
        INSERT INTO a2acards (id, name, alias, description, server_url, card_content, creator_id,
                              is_active, headers)
        VALUES (%s, 'card', %s, '', 'http://a.example',
                '{"skills": [], "defaultInputModes": [], "defaultOutputModes": []}', %s, true, %s)
        """,
        *(one.card, f"card_{one.card}", one.owner),
        json.dumps(seal_headers(vault, "a2acards", one.card, one.headers)),
    )


def select_stored(sql: Sql, people: Iterable[Somebody]) -> list[str]:
    """All that is stored of their secrets."""
    owners = [one.owner for one in people]
    rows = sql(
        """
        SELECT api_key AS stored FROM modelproviders WHERE creator_id = ANY(%s)
        UNION ALL SELECT provider_metadata #>> '{}' FROM modelproviders
            WHERE creator_id = ANY(%s)
        UNION ALL SELECT credentials #>> '{}' FROM modelconfigs WHERE creator_id = ANY(%s)
        UNION ALL SELECT jwt FROM agents WHERE creator_id = ANY(%s)
        UNION ALL SELECT value FROM mcpservers, json_each_text(headers) WHERE creator_id = ANY(%s)
        UNION ALL SELECT value FROM a2acards, json_each_text(headers) WHERE creator_id = ANY(%s)
        UNION ALL SELECT oauth FROM mcpservers WHERE creator_id = ANY(%s)
        """,
        *[owners] * 7,
    )
    return [row["stored"] for row in rows]
