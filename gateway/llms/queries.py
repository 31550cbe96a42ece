"""Providers and model configs in PostgreSQL."""

from uuid import UUID

from databases.core import Connection
from databases.interfaces import Record

from gateway.llms.options import shown_options, shown_text
from gateway.llms.schemas import (
    ModelConfig,
    NewModelConfig,
    Provider,
    ProviderConfigs,
    shown_key,
    stored_columns,
)
from gateway.web.paging import Page, Slice, select_page
from gateway.web.quotas import Quota
from gateway.web.told import Told, left, written
from shared.domain.options import CREDENTIALS, METADATA
from shared.postgres.pool import columns
from shared.postgres.rows import as_json, builder
from shared.secrets import REDACTED, Vault

PROVIDERS = Quota(
    "model providers",
    lambda settings: settings.model_providers_per_user,
    "SELECT count(*) FROM modelproviders WHERE creator_id = :owner",
)
CONFIGS = Quota(
    "model configs",
    lambda settings: settings.model_configs_per_user,
    "SELECT count(*) FROM modelconfigs WHERE creator_id = :owner",
)


async def insert_provider(
    connection: Connection,
    vault: Vault,
    id_: UUID,
    owner: UUID,
    name: str,
    encrypted_key: str | None,
    metadata: object,
) -> Provider | None:
    """The new provider, or None: its owner has one of this name. Metadata as it is to be stored."""
    sql = """
        INSERT INTO modelproviders (id, name, api_key, provider_metadata, creator_id)
        VALUES (:id, :name, :api_key, :metadata, :owner)
        ON CONFLICT (creator_id, name) DO NOTHING
        RETURNING id, name AS provider, api_key, provider_metadata AS metadata,
                  created_at, updated_at
    """
    values = {
        "id": id_,
        "name": name,
        "api_key": encrypted_key,
        "metadata": metadata,
        "owner": owner,
    }
    row = await connection.fetch_one(sql, values)
    return _provider(vault, row) if row else None


async def select_provider_id(connection: Connection, owner: UUID, name: str) -> UUID | None:
    """The id of the owner's provider of this name: its key is encrypted for it."""
    sql = "SELECT id FROM modelproviders WHERE creator_id = :owner AND name = :name"
    id_: UUID | None = await connection.fetch_val(sql, {"owner": owner, "name": name})
    return id_


async def update_provider(
    connection: Connection,
    vault: Vault,
    owner: UUID,
    id_: UUID,
    encrypted_key: str | None,
    metadata: object,
) -> Provider | None:
    """The owner's provider after the change; None leaves what is stored. Metadata as above."""
    sql = """
        UPDATE modelproviders
        SET api_key = coalesce(:api_key, api_key), updated_at = now(),
            provider_metadata = coalesce(CAST(:metadata AS json), provider_metadata)
        WHERE creator_id = :owner AND id = :id
        RETURNING id, name AS provider, api_key,
                  provider_metadata AS metadata, created_at, updated_at
    """
    values = {"owner": owner, "id": id_, "api_key": encrypted_key, "metadata": metadata}
    row = await connection.fetch_one(sql, values)
    return _provider(vault, row) if row else None


async def insert_config(
    connection: Connection, id_: UUID, owner: UUID, new: NewModelConfig, credentials: object
) -> bool | None:
    """Whether the config was stored; False: the name is taken; None: the provider is unknown.

    Credentials as they are to be stored.
    """
    sql = """
        WITH provider AS (
            SELECT id FROM modelproviders WHERE creator_id = :owner AND name = :provider
        ), added AS (
            INSERT INTO modelconfigs (
                id, name, model, provider_id, system_prompt, user_prompt,
                max_last_messages, temperature, credentials, creator_id
            )
            SELECT CAST(:id AS uuid), :name, :model, provider.id, :system_prompt, :user_prompt,
                   :max_last_messages, :temperature, CAST(:credentials AS json), :owner
            FROM provider
            ON CONFLICT (creator_id, name) DO NOTHING
            RETURNING id
        )
        SELECT EXISTS (SELECT FROM added) FROM provider
    """
    values = {"id": id_, "owner": owner, **stored_columns(new), "credentials": credentials}
    stored: bool | None = await connection.fetch_val(sql, values)
    return stored


async def select_providers(
    connection: Connection, vault: Vault, owner: UUID, part: Slice
) -> Page[ProviderConfigs]:
    """The owner's providers, newest first, with their configs, oldest first."""
    sql = """
        WITH config AS MATERIALIZED (
            SELECT provider_id, sum(300 + octet_length(system_prompt)
                       + coalesce(octet_length(user_prompt), 0)
                       + octet_length(CAST(credentials AS text))) AS bytes
            FROM modelconfigs WHERE creator_id = :owner GROUP BY provider_id
        )
        SELECT id, name AS provider, CASE WHEN api_key <> '' THEN CAST(:redacted AS text) END
                   AS api_key,
               provider_metadata AS metadata,
               octet_length(CAST(provider_metadata AS text)) + coalesce(bytes, 0) AS bytes
        FROM modelproviders LEFT JOIN config ON provider_id = id
        WHERE creator_id = :owner
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """

    def fill(column: str, id_: str, stored: str) -> str:
        return shown_text(vault, COLUMNS[column], UUID(id_), stored)

    told = Told(ProviderConfigs, texts=TEXTS, fill=fill)
    values = {"owner": owner, "redacted": REDACTED}
    return await select_page(connection, sql, values, part, told, joined=JOINED)


COLUMNS = {each.name: each for each in (METADATA, CREDENTIALS)}
# What is encrypted is left to the gateway.
TEXTS = {
    "metadata": f"""
        CASE json_typeof(metadata)
            WHEN 'object' THEN CAST(metadata AS text)
            WHEN 'string' THEN {left("'provider_metadata'", "told.id", "metadata #>> '{}'")}
            ELSE '{{}}'
        END
    """,
    "configs": "coalesce(configs, '[]')",
}
CONFIG = written(
    ModelConfig,
    without=("owner", "shared"),
    temperature="""
        CASE WHEN CAST(temperature AS text) ~ '^-?[0-9]+$' THEN temperature || '.0'
             WHEN CAST(temperature AS text) ~ '[0-9]' THEN CAST(temperature AS text)
             ELSE 'null' END
    """,
    credentials=f"""
        CASE json_typeof(credentials) WHEN 'object' THEN CAST(credentials AS text)
            ELSE {left("'credentials'", "id", "credentials #>> '{}'")} END
    """,
    user_prompt="CAST(to_json(CAST(coalesce(user_prompt, '') AS text)) AS text)",
)
# Front-ends take the first config of the first provider where none was chosen.
JOINED = f"""
    LEFT JOIN (
        WITH config AS MATERIALIZED (
            SELECT provider_id,
                   '[' || string_agg({CONFIG}, ',' ORDER BY created_at, id DESC) || ']' AS configs
            FROM modelconfigs
            WHERE creator_id = :owner AND provider_id = ANY(ARRAY(SELECT id FROM told))
            GROUP BY provider_id
        )
        SELECT * FROM config
    ) AS config ON provider_id = told.id
"""  # noqa: S608 (statements of ours)


async def select_provider(
    connection: Connection, vault: Vault, owner: UUID, name: str
) -> list[ProviderConfigs]:
    """The owner's provider of this name with its configs, as a list of one or none.

    What is newest comes first, unlike in the list of all.
    """
    sql = """
        SELECT id, name, api_key,
               CASE json_typeof(provider_metadata)
                   WHEN 'object' THEN CAST(provider_metadata AS text)
                   WHEN 'string' THEN provider_metadata #>> '{}'
                   ELSE '{}'
               END AS metadata
        FROM modelproviders
        WHERE creator_id = :owner AND name = :name
    """
    row = await connection.fetch_one(sql, {"owner": owner, "name": name})
    if row is None:
        return []
    return [_with_configs(vault, row, await _select_configs(connection, owner, [row["id"]]))]


def _provider(vault: Vault, row: Record) -> Provider:
    found = columns(row)
    metadata = shown_options(vault, METADATA, found["id"], found["metadata"])
    return Provider(**{**found, "api_key": shown_key(found["api_key"]), "metadata": metadata})


async def _select_configs(
    connection: Connection, owner: UUID, provider_ids: list[UUID]
) -> list[Record]:
    sql = """
        SELECT id, name, model, system_prompt, temperature,
               CASE json_typeof(credentials)
                   WHEN 'string' THEN credentials #>> '{}'
                   ELSE CAST(credentials AS text)
               END AS credentials,
               coalesce(user_prompt, '') AS user_prompt, max_last_messages, provider_id
        FROM modelconfigs
        WHERE creator_id = :owner AND provider_id = ANY(:provider_ids)
        ORDER BY created_at DESC, id
    """
    values = {"owner": owner, "provider_ids": provider_ids}
    return await connection.fetch_all(sql, values)


_build_config = builder(ModelConfig)


def _config(vault: Vault, row: Record) -> ModelConfig:
    config = _build_config(row)
    text = shown_text(vault, CREDENTIALS, config.id, row["credentials"])
    vars(config)["credentials"] = as_json(text)
    return config


def _with_configs(vault: Vault, provider: Record, configs: list[Record]) -> ProviderConfigs:
    metadata = as_json(shown_text(vault, METADATA, provider["id"], provider["metadata"]))
    return ProviderConfigs(
        api_key=shown_key(provider["api_key"]),
        provider=provider["name"],
        metadata=metadata,
        configs=[_config(vault, row) for row in configs],
    )
