"""Model configs that other users share with one, in PostgreSQL: without what is secret in them."""

from uuid import UUID

from databases.core import Connection
from databases.interfaces import Record

from gateway.llms.schemas import ModelConfig, ProviderConfigs
from gateway.web.paging import Page, Slice, select_page


async def select_shared_configs(
    connection: Connection, user: UUID, part: Slice
) -> Page[ProviderConfigs]:
    """Those that others share with this user, newest first, each with its provider's name."""
    sql = """
        SELECT provider.name AS provider, config.id, config.name, config.model,
               config.system_prompt, config.temperature,
               coalesce(config.user_prompt, '') AS user_prompt, config.max_last_messages,
               (SELECT username FROM users WHERE users.id = config.creator_id) AS shared_by,
               300 + octet_length(config.system_prompt)
                   + coalesce(octet_length(config.user_prompt), 0) AS bytes
        FROM usable_configs(:user) AS config
        JOIN modelproviders AS provider ON provider.id = config.provider_id
        WHERE config.creator_id <> :user
        ORDER BY config.created_at DESC, config.id LIMIT :limit OFFSET :offset
    """
    return await select_page(connection, sql, {"user": user}, part, _shared)


async def select_shared_config(
    connection: Connection, user: UUID, id_: UUID
) -> ProviderConfigs | None:
    """One of those that others share with this user."""
    sql = """
        SELECT provider.name AS provider, config.id, config.name, config.model,
               config.system_prompt, config.temperature,
               coalesce(config.user_prompt, '') AS user_prompt, config.max_last_messages,
               (SELECT username FROM users WHERE users.id = config.creator_id) AS shared_by
        FROM usable_config(:user, :id) AS config
        JOIN modelproviders AS provider ON provider.id = config.provider_id
        WHERE config.creator_id <> :user
    """
    row = await connection.fetch_one(sql, {"user": user, "id": id_})
    return _shared(row) if row else None


def _shared(row: Record) -> ProviderConfigs:
    """As whom it is shared with is told of it: by the name that he has for it."""
    config = ModelConfig(
        id=row["id"],
        name=f"{row['name']}@{row['shared_by']}",
        model=row["model"],
        system_prompt=row["system_prompt"],
        temperature=row["temperature"],
        credentials={},
        user_prompt=row["user_prompt"],
        max_last_messages=row["max_last_messages"],
        owner=row["shared_by"],
        shared=True,
    )
    return ProviderConfigs(api_key=None, provider=row["provider"], metadata={}, configs=[config])
