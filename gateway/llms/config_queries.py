"""Single model configs in PostgreSQL."""

from typing import Any
from uuid import UUID

import asyncpg
from databases.core import Connection

from gateway.llms.options import shown_options
from gateway.llms.schemas import (
    ModelConfig,
    ModelConfigChanges,
    ProviderConfigs,
    shown_key,
    stored_columns,
)
from shared.domain.options import CREDENTIALS, METADATA
from shared.postgres.pool import columns
from shared.secrets import Vault


class NameTakenError(Exception):
    """The owner has another config of this name."""


async def select_config(
    connection: Connection, vault: Vault, owner: UUID, id_: UUID
) -> ProviderConfigs | None:
    """The provider of the owner's config, with this config only."""
    sql = """
        SELECT provider.name AS provider, provider.id AS provider_id, provider.api_key,
               provider.provider_metadata, config.id, config.name, config.model,
               config.system_prompt, config.temperature, config.credentials,
               coalesce(config.user_prompt, '') AS user_prompt, config.max_last_messages
        FROM modelconfigs AS config
        JOIN modelproviders AS provider ON provider.id = config.provider_id
        WHERE config.creator_id = :owner AND config.id = :id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "id": id_})
    return _with_provider(vault, **columns(row)) if row else None


async def update_config(
    connection: Connection,
    vault: Vault,
    owner: UUID,
    id_: UUID,
    changes: ModelConfigChanges,
    credentials: object,
) -> ModelConfig | None:
    """The owner's config after the change; credentials as they are to be stored, None: they stay.

    Raises NameTakenError.
    """
    sql = """
        UPDATE modelconfigs SET
            name = coalesce(:name, name),
            model = coalesce(:model, model),
            system_prompt = coalesce(:system_prompt, system_prompt),
            user_prompt = coalesce(:user_prompt, user_prompt),
            temperature = coalesce(CAST(:temperature AS float8), temperature),
            max_last_messages = coalesce(CAST(:max_last_messages AS integer), max_last_messages),
            credentials = coalesce(CAST(:credentials AS json), credentials),
            updated_at = now()
        WHERE creator_id = :owner AND id = :id
        RETURNING id, name, model, system_prompt, temperature, credentials,
                  coalesce(user_prompt, '') AS user_prompt, max_last_messages
    """
    try:
        values = {**stored_columns(changes), "credentials": credentials}
        row = await connection.fetch_one(sql, {"owner": owner, "id": id_, **values})
    except asyncpg.UniqueViolationError as error:
        raise NameTakenError from error
    return _config(vault, **columns(row)) if row else None


async def delete_config(connection: Connection, owner: UUID, id_: UUID) -> bool:
    """Whether there was such a config of the owner's."""
    sql = "DELETE FROM modelconfigs WHERE creator_id = :owner AND id = :id RETURNING id"
    return await connection.fetch_one(sql, {"owner": owner, "id": id_}) is not None


def _with_provider(
    vault: Vault,
    provider: str,
    provider_id: UUID,
    api_key: str | None,
    provider_metadata: object,
    **config: Any,
) -> ProviderConfigs:
    return ProviderConfigs(
        api_key=shown_key(api_key),
        provider=provider,
        metadata=shown_options(vault, METADATA, provider_id, provider_metadata),
        configs=[_config(vault, **config)],
    )


def _config(vault: Vault, credentials: object, **config: Any) -> ModelConfig:
    shown = shown_options(vault, CREDENTIALS, config["id"], credentials)
    return ModelConfig(credentials=shown, **config)
