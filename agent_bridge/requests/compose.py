"""Composing what the master agent needs for a request, with what is secret decrypted."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import attrs
from attrs import frozen
from databases import Database
from databases.core import Connection

from agent_bridge.requests.claim_queries import ClaimedRequest
from agent_bridge.requests.marked import ChosenConfig, Marked
from agent_bridge.requests.master import CallableAgent, Invocation
from agent_bridge.requests.queries import select_has_provider
from shared.domain.files import select_named_files
from shared.domain.flows import ActiveFlow, select_active_flows
from shared.domain.frames import FileMetadata
from shared.domain.options import CREDENTIALS, METADATA, open_options
from shared.postgres.pool import connect
from shared.secrets import UndecryptableError, Vault

APART = {"provider_id", "api_key", "provider_metadata", "config_id", "credentials"}
OVERRIDABLE = ("temperature", "system_prompt")
CONTEXT = "context"  # what the system prompt goes on with


class UnfitError(Exception):
    """The request can't be answered as it is; the text says why."""


@frozen
class Gathered:
    """What is read before a request is marked as sent: the rest comes with the mark."""

    files: list[FileMetadata]
    flows: list[ActiveFlow]


NOTHING = Gathered([], [])


async def gather(database: Database, request: ClaimedRequest) -> Gathered:
    """The files and flows of a request that is about to be sent. Raises UnfitError."""
    if not request.file_ids and not request.has_flows:
        return NOTHING
    async with connect(database) as connection:
        files = await _find_files(connection, request)
        if not request.has_flows:
            return Gathered(files, [])
        return Gathered(files, await select_active_flows(connection, request.creator_id))


def compose(
    vault: Vault, request: ClaimedRequest, gathered: Gathered, marked: Marked
) -> Invocation:
    """All that the master agent needs. Raises UnfitError for what can't be decrypted."""
    return Invocation(
        user_id=request.creator_id,
        session_id=request.session_id,
        message=request.message,
        configs=_override(_configs(vault, marked.config), request.overrides or {}),
        files=gathered.files,
        agents=[*map(_callable, gathered.flows), *marked.agents],
        timestamp=marked.timestamp,
    )


async def explain_missing_config(database: Database, request: ClaimedRequest) -> UnfitError:
    """Why there is no config for a request."""
    owner, name, provider = request.creator_id, request.config_name, request.provider_name
    if provider is not None:
        async with connect(database) as connection:
            if not await select_has_provider(connection, owner, provider):
                return UnfitError(f"Provider {provider} does not exist")
    if name is None:
        return UnfitError("There is no model config yet, please create one")
    return UnfitError(f"Config {name} does not exist")


def _callable(flow: ActiveFlow) -> CallableAgent:
    return CallableAgent(
        agent_id=flow.id,
        agent_name=flow.alias,
        agent_description=flow.description,
        agent_schema=flow.schema,
        flow=flow.member_ids,
    )


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


def _configs(vault: Vault, config: ChosenConfig) -> dict[str, object]:
    """What is the config's own can't be replaced by its credentials or the provider's metadata."""
    own = attrs.asdict(config, filter=lambda field, _: field.name not in APART)
    provider, stored = config.provider_id, config.api_key
    with _needed(f"API key of provider {config.provider}"):
        key = vault.decrypt(stored, "modelproviders", provider, "api_key") if stored else None
    with _needed(f"metadata of provider {config.provider}"):
        metadata = open_options(vault, METADATA, provider, config.provider_metadata)
    with _needed(f"credentials of config {config.config_name}"):
        credentials = open_options(vault, CREDENTIALS, config.config_id, config.credentials)
    return {**credentials, **metadata, **own, "api_key": key}


def _override(configs: dict[str, object], given: Mapping[str, object]) -> dict[str, object]:
    """What stands in place of the config's own values, for this request alone."""
    stated = {name: given[name] for name in OVERRIDABLE if given.get(name) is not None}
    configs = configs | stated
    if context := given.get(CONTEXT):
        prompts = configs.get("system_prompt"), context
        configs["system_prompt"] = "\n\n".join(str(each) for each in prompts if each)
    return configs


@contextmanager
def _needed(what: str) -> Iterator[None]:
    """Raises UnfitError where it can't be decrypted."""
    try:
        yield
    except UndecryptableError:
        raise UnfitError(f"The {what} can't be decrypted, please enter it again") from None
