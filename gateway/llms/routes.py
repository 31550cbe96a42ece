"""Providers and model configs: create and list."""

from uuid import uuid4

from gateway.llms import queries
from gateway.llms.schemas import (
    NewModelConfig,
    NewProvider,
    Provider,
    ProviderConfigs,
    ProviderPage,
    SystemPrompt,
)
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.operation import Call, Operation, get, post
from gateway.web.paging import cut
from shared.database import connect


async def create_provider(call: Call[NewProvider, Nothing]) -> Provider:
    """Store a provider and its key, encrypted."""
    new = call.body
    if not new.key and not new.is_keyless:
        raise BadRequestError("'api_key' must be specified for this provider")
    id_ = uuid4()
    vault = call.state["vault"]
    encrypted = vault.encrypt(new.key, "modelproviders", id_, "api_key") if new.key else None
    async with connect(call.database) as connection:
        provider = await queries.insert_provider(
            connection, id_, call.user_id, new.name, encrypted, new.metadata or {}
        )
    if provider is None:
        raise BadRequestError(f"Provider '{new.name}' already exists")
    return provider


async def create_model_config(call: Call[NewModelConfig, Nothing]) -> list[ProviderConfigs]:
    """Store a model config; answers with its provider."""
    new = call.body
    async with connect(call.database) as connection:
        stored = await queries.insert_config(connection, call.user_id, new)
        if stored is None:
            raise BadRequestError(f"Provider named {new.provider} does not exist")
        if not stored:
            raise BadRequestError(f"Config '{new.name.strip()}' already exists")
        return await queries.select_provider(connection, call.user_id, new.provider)


async def list_model_configs(call: Call[Nothing, ProviderPage]) -> list[ProviderConfigs]:
    """List the user's providers with their configs, newest first."""
    page = call.parameters
    async with connect(call.database) as connection:
        return await queries.select_providers(
            connection, call.user_id, cut(page.limit), page.offset
        )


async def read_default_prompt(_call: Call[Nothing, Nothing]) -> SystemPrompt:
    """Read the system prompt that a config gets by default."""
    return SystemPrompt()


def _under(prefix: str) -> list[Operation]:
    configs = list[ProviderConfigs]
    return [
        post(f"{prefix}/model/provider", create_provider, NewProvider, Provider),
        post(f"{prefix}/model/config", create_model_config, NewModelConfig, configs),
        post(f"{prefix}/model_config", create_model_config, NewModelConfig, configs),
        get(f"{prefix}/model/configs", list_model_configs, ProviderPage, configs),
        get(f"{prefix}/model/prompt", read_default_prompt, Nothing, SystemPrompt),
    ]


operations = [*_under("/api/llm"), *_under("/api/llms")]
