"""Providers and model configs: create, read, change and delete."""

import logging
from typing import Any
from uuid import UUID, uuid4

import attrs
from databases.core import Connection

from gateway.audit.acting import acting
from gateway.llms import config_queries, queries
from gateway.llms.config_queries import NameTakenError
from gateway.llms.schemas import (
    ModelConfig,
    ModelConfigChanges,
    ModelConfigId,
    NewModelConfig,
    NewProvider,
    Provider,
    ProviderChanges,
    ProviderConfigs,
    ProviderName,
    ProviderPage,
    SystemPrompt,
    Trial,
    needs_no_key,
    stored_columns,
)
from gateway.llms.shared_queries import select_shared_config, select_shared_configs
from gateway.llms.trying import Found, UnknownPlaceError, select_stored, try_out, unseal
from gateway.web.call import Call
from gateway.web.errors import BadRequestError
from gateway.web.inputs import Nothing
from gateway.web.lines import delete, get, listing, patch, post
from gateway.web.operation import Operation
from gateway.web.paging import Page
from gateway.web.quotas import within
from shared.domain.options import CREDENTIALS, METADATA, OptionsColumn, seal_options
from shared.postgres.pool import connect
from shared.secrets import UndecryptableError, Vault

logger = logging.getLogger(__name__)

# Parts of paths that are answered for those who have them, and what sets their ids apart.
OLD_PLACES = {"/api/llms/": "llms", "/model_config": "underscored"}
CONFIG_ID = {"model_config_id": "/0/configs/0/id"}
UNDECRYPTABLE = "What is stored of it can't be decrypted, please enter the key again"
NO_KEY = "'api_key' must be specified for this provider"


async def create_provider(call: Call[NewProvider, Nothing]) -> Provider:
    """Store a provider and its key, encrypted."""
    new = call.body
    if not new.key and not new.is_keyless:
        raise BadRequestError(NO_KEY)
    id_, vault = uuid4(), call.state["vault"]
    encrypted = _encrypt(vault, id_, new.key)
    async with acting(call) as connection:
        metadata = await _stored(call, connection, METADATA, id_, new.metadata or {})
        async with within(queries.PROVIDERS, call, connection):
            provider = await queries.insert_provider(
                connection, vault, id_, call.user_id, new.name, encrypted, metadata
            )
    if provider is None:
        taken = f"{call.user_id}, {new.name}"
        raise BadRequestError(f"Creator_id, name - '{taken}' already exists")
    return provider


async def update_provider(call: Call[ProviderChanges, ProviderName]) -> Provider:
    """Change the key or the metadata of a provider; what is left out stays."""
    name, changes = call.parameters.provider_name, call.body
    keyless = needs_no_key(name)
    if changes.new_key == "" and not keyless:
        raise BadRequestError(NO_KEY)
    async with acting(call) as connection:
        id_ = await queries.select_provider_id(connection, call.user_id, name)
        if id_ is None:
            raise _unknown_provider(name)
        vault = call.state["vault"]
        encrypted = _encrypt(vault, id_, None if keyless else changes.new_key)
        metadata = await _stored(call, connection, METADATA, id_, changes.metadata)
        provider = await queries.update_provider(
            connection, vault, call.user_id, id_, encrypted, metadata
        )
    if provider is None:
        raise _unknown_provider(name)
    return provider


def _encrypt(vault: Vault, provider_id: UUID, key: str | None) -> str | None:
    return vault.encrypt(key, "modelproviders", provider_id, "api_key") if key else None


async def _stored(
    call: Call[Any, Any],
    connection: Connection,
    column: OptionsColumn,
    row: UUID,
    options: dict[str, Any] | None,
) -> object:
    """What to store of options; None leaves what is stored."""
    if options is None or not await call.state["sealing"].has_begun(connection):
        return options
    return seal_options(call.state["vault"], column, row, options)


def _unknown_provider(name: str) -> BadRequestError:
    return BadRequestError(f"Provider named '{name}' does not exist")


async def create_model_config(call: Call[NewModelConfig, Nothing]) -> list[ProviderConfigs]:
    """Store a model config; answers with its provider."""
    new, id_ = call.body, uuid4()
    async with acting(call) as connection:
        options = stored_columns(new)["credentials"]
        credentials = await _stored(call, connection, CREDENTIALS, id_, options)
        async with within(queries.CONFIGS, call, connection):
            stored = await queries.insert_config(connection, id_, call.user_id, new, credentials)
        if stored is None:
            raise BadRequestError(f"Provider named {new.provider} does not exist")
        if not stored:
            raise BadRequestError(f"Config '{new.name.strip()}' already exists")
        return await queries.select_provider(
            connection, call.state["vault"], call.user_id, new.provider
        )


async def list_model_configs(call: Call[Nothing, ProviderPage]) -> Page[ProviderConfigs]:
    """List the user's providers, newest first, with their configs, oldest first.

    Or the configs that others share with him.
    """
    if call.parameters.shared:
        return await call.read_page(
            lambda connection, part: select_shared_configs(connection, call.user_id, part)
        )
    return await call.read_page(
        lambda connection, part: queries.select_providers(
            connection, call.state["vault"], call.user_id, part
        )
    )


async def read_model_config(call: Call[Nothing, ModelConfigId]) -> ProviderConfigs:
    """Read one of the user's configs, or of those that others share with him.

    With its provider.
    """
    id_ = call.parameters.model_config_id
    async with connect(call.database) as connection:
        found = await config_queries.select_config(
            connection, call.state["vault"], call.user_id, id_
        ) or await select_shared_config(connection, call.user_id, id_)
    if found is None:
        raise _unknown_config(id_)
    return found


async def update_model_config(call: Call[ModelConfigChanges, ModelConfigId]) -> ModelConfig:
    """Change one of the user's configs; what is left out stays."""
    id_ = call.parameters.model_config_id
    vault, options = call.state["vault"], stored_columns(call.body)["credentials"]
    async with acting(call) as connection:
        credentials = await _stored(call, connection, CREDENTIALS, id_, options)
        try:
            config = await config_queries.update_config(
                connection, vault, call.user_id, id_, call.body, credentials
            )
        except NameTakenError:
            raise BadRequestError(f"Config '{call.body.name}' already exists") from None
    if config is None:
        raise _unknown_config(id_)
    return config


async def delete_model_config(call: Call[Nothing, ModelConfigId]) -> None:
    """Delete one of the user's configs; its provider stays."""
    id_ = call.parameters.model_config_id
    async with acting(call) as connection:
        deleted = await config_queries.delete_config(connection, call.user_id, id_)
    if not deleted:
        raise _unknown_config(id_)


async def create_trial(call: Call[Nothing, ModelConfigId]) -> Trial:
    """Try one of the user's configs: whether its provider takes the key, and has the model.

    It is asked which models it has, which costs nothing. An Ollama here is only asked where the
    gateway may visit private addresses.
    """
    id_ = call.parameters.model_config_id
    async with connect(call.database) as connection:
        stored = await select_stored(connection, call.user_id, id_)
    if stored is None:
        raise _unknown_config(id_)
    try:
        asked = unseal(call.state["vault"], stored)
    except UndecryptableError as error:
        logger.warning("%s", error)
        found = Found(works=False, reason=UNDECRYPTABLE)
    except UnknownPlaceError as error:
        found = Found(works=False, reason=str(error))
    else:
        async with call.state["turns"].lookups.turn(call.user_id):
            found = await try_out(call.state["outbound"], asked, stored.model)
    return Trial(id_, stored.provider, stored.model, **attrs.asdict(found))


def _unknown_config(id_: UUID) -> BadRequestError:
    return BadRequestError(f"Config with id '{id_}' was not found")


async def read_default_prompt(_call: Call[Nothing, Nothing]) -> SystemPrompt:
    """Read the system prompt that a config gets by default."""
    return SystemPrompt()


def _under(prefix: str) -> list[Operation]:
    configs = list[ProviderConfigs]
    provider, config = f"{prefix}/model/providers", f"{prefix}/model/config"
    return [
        post(
            f"{prefix}/model/provider",
            create_provider,
            NewProvider,
            Provider,
            names={"provider_name": "/provider"},
        ),
        post(
            f"{prefix}/model/config", create_model_config, NewModelConfig, configs, names=CONFIG_ID
        ),
        post(
            f"{prefix}/model_config", create_model_config, NewModelConfig, configs, names=CONFIG_ID
        ),
        patch(
            f"{provider}/{{provider_name}}",
            update_provider,
            ProviderChanges,
            ProviderName,
            Provider,
        ),
        get(f"{config}/{{model_config_id}}", read_model_config, ModelConfigId, ProviderConfigs),
        patch(
            f"{config}/{{model_config_id}}",
            update_model_config,
            ModelConfigChanges,
            ModelConfigId,
            ModelConfig,
        ),
        delete(f"{config}/{{model_config_id}}", delete_model_config, ModelConfigId),
        listing(f"{prefix}/model/configs", list_model_configs, ProviderPage, configs),
        get(f"{prefix}/model/prompt", read_default_prompt, Nothing, SystemPrompt),
    ]


def _marked(operation: Operation) -> Operation:
    old = [word for part, word in OLD_PLACES.items() if part in operation.path]
    return attrs.evolve(operation, old_place="_".join(old))


operations = [
    *map(_marked, [*_under("/api/llm"), *_under("/api/llms")]),
    Operation(
        method="POST",
        path="/api/llm/model/config/{model_config_id}/try",
        handler=create_trial,
        parameters=ModelConfigId,
        result=Trial,
        lends=False,
    ),
]
