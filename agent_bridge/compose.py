"""Composing what the master agent needs for a request, with the provider's key decrypted."""

from uuid import UUID

import attrs
from attrs import field, frozen
from databases.core import Connection

from agent_bridge.master import CallableAgent, Invocation
from agent_bridge.queries import (
    ChosenConfig,
    ClaimedRequest,
    select_callable_agents,
    select_config,
    select_has_provider,
)
from shared.events import FileMetadata
from shared.files import select_named_files
from shared.flows import Flow, select_active_flows
from shared.secrets import UndecryptableError, Vault

PROVIDER_COLUMNS = {"provider_id", "api_key", "provider_metadata", "credentials"}


class UnfitError(Exception):
    """The request can't be answered as it is; the text says why."""


@frozen
class Composition:
    """An invocation, and the provider whose key it holds."""

    invocation: Invocation = field(repr=False)
    provider_id: UUID


async def compose(connection: Connection, vault: Vault, request: ClaimedRequest) -> Composition:
    """Gather config, files and agents of a request. Raises UnfitError."""
    config = await _choose_config(connection, request)
    files = await _find_files(connection, request)
    flows = await select_active_flows(connection, request.creator_id)
    agents = await select_callable_agents(connection, request.creator_id)
    invocation = Invocation(
        user_id=request.creator_id,
        session_id=request.session_id,
        message=request.message,
        configs=_configs(config, _decrypt(vault, config)),
        files=files,
        agents=[*map(_callable, flows), *agents],
    )
    return Composition(invocation, config.provider_id)


def _callable(flow: Flow) -> CallableAgent:
    return CallableAgent(
        agent_id=flow.id,
        agent_name=flow.alias,
        agent_description=flow.description,
        agent_schema=flow.schema,
        flow=flow.member_ids,
    )


async def _choose_config(connection: Connection, request: ClaimedRequest) -> ChosenConfig:
    owner, name, provider = request.creator_id, request.config_name, request.provider_name
    config = await select_config(connection, owner, name, provider)
    if config is not None:
        return config
    if provider is not None and not await select_has_provider(connection, owner, provider):
        raise UnfitError(f"Provider {provider} does not exist")
    if name is None:
        raise UnfitError("There is no model config yet, please create one")
    raise UnfitError(f"Config {name} does not exist")


async def _find_files(connection: Connection, request: ClaimedRequest) -> list[FileMetadata]:
    if not request.file_ids:
        return []
    files = await select_named_files(connection, request.creator_id, request.file_ids)
    missing = set(request.file_ids) - {file.id for file in files}
    if missing:
        raise UnfitError(f"File {min(missing)} does not exist")
    # A file may have gone with a later message too: here it is this request's.
    session_id, request_id = request.session_id, request.id
    return [attrs.evolve(file, session_id=session_id, request_id=request_id) for file in files]


def _decrypt(vault: Vault, config: ChosenConfig) -> str | None:
    if not config.api_key:
        return None
    try:
        return vault.decrypt(config.api_key, "modelproviders", config.provider_id, "api_key")
    except UndecryptableError:
        raise UnfitError(
            f"The API key of provider {config.provider} can't be decrypted, please enter it again"
        ) from None


def _configs(config: ChosenConfig, api_key: str | None) -> dict[str, object]:
    """What is the config's own can't be replaced by its credentials or the provider's metadata."""
    own = attrs.asdict(config, filter=lambda field, _: field.name not in PROVIDER_COLUMNS)
    others = {**(config.credentials or {}), **(config.provider_metadata or {})}
    return {**others, **own, "api_key": api_key}
