"""Providers and model configs in PostgreSQL."""

from typing import Any
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
from shared.domain.options import CREDENTIALS, METADATA
from shared.postgres.pool import columns
from shared.postgres.rows import builder
from shared.secrets import Vault

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
        SELECT id, name, api_key,
               CASE json_typeof(provider_metadata)
                   WHEN 'object' THEN CAST(provider_metadata AS text)
                   WHEN 'string' THEN provider_metadata #>> '{}'
                   ELSE '{}'
               END AS metadata,
               octet_length(CAST(provider_metadata AS text)) + (
                   SELECT coalesce(sum(300 + octet_length(system_prompt)
                       + coalesce(octet_length(user_prompt), 0)
                       + octet_length(CAST(credentials AS text))), 0)
                   FROM modelconfigs WHERE provider_id = modelproviders.id
               ) AS bytes
        FROM modelproviders
        WHERE creator_id = :owner
        ORDER BY created_at DESC, id LIMIT :limit OFFSET :offset
    """
    configs: dict[UUID, list[Record]] = {}

    def make(row: Record) -> ProviderConfigs:
        # Front-ends take the first config of the first provider where none was chosen.
        return _with_configs(vault, row, configs.pop(row["id"], [])[::-1])

    page = await select_page(connection, sql, {"owner": owner}, part, make)
    for row in await _select_configs(connection, owner, [row["id"] for row in page.rows]):
        configs.setdefault(row["provider_id"], []).append(row)
    return page


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
    vars(config)["credentials"] = text
    return config


def _with_configs(vault: Vault, provider: Record, configs: list[Record]) -> ProviderConfigs:
    metadata: Any = shown_text(vault, METADATA, provider["id"], provider["metadata"])
    return ProviderConfigs(
        api_key=shown_key(provider["api_key"]),
        provider=provider["name"],
        metadata=metadata,
        configs=[_config(vault, row) for row in configs],
    )
