"""Whether a provider lets somebody in by a key, and has a model: one call that costs nothing.

It is asked which models it has. What it says is told in our words: its own might repeat the key.
"""

import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import anyio.to_thread
import httpx2
from attrs import field, frozen
from databases.core import Connection

from gateway.llms.schemas import needs_no_key
from gateway.remote.causes import describe_answer
from gateway.remote.credentials import Credentials, Values
from gateway.remote.errors import UnreachableError
from gateway.remote.outbound import Outbound
from gateway.remote.urls import read_url
from shared.codec.text import read_json
from shared.domain.options import CREDENTIALS, METADATA, open_options
from shared.postgres.pool import columns
from shared.secrets import Vault

TRIAL_SECONDS = 10.0
TRIAL_BYTES = 4 * 1024 * 1024  # of the models that a provider lists

OPENAI = "https://api.openai.com/v1"
OLLAMA = "http://127.0.0.1:11434"
AZURE_VERSION = "2024-10-21"
NO_PLACE = (
    "It is not known where this provider is: its metadata has to hold a 'base_url', where OpenAI's"
    " protocol is spoken"
)
NO_ENDPOINT = "Azure OpenAI needs an 'endpoint' in its metadata"
UNSENDABLE = "The key has characters in it that no request can carry: please enter it again"
NOT_LET_IN = "The provider does not take the key"
WORKS = "The provider takes the key, and lists the model"
WORKS_UNLISTED = "The provider takes the key, but does not list the model"
WORKS_UNKNOWN = "The provider takes the key"
NO_LIST = "What answers there does not list models as OpenAI's protocol or Ollama's does"


@frozen
class StoredConfig:
    """A config with its provider, as both are stored."""

    provider: str
    provider_id: UUID
    api_key: str | None = field(repr=False)
    provider_metadata: object = field(repr=False)
    id: UUID
    model: str
    credentials: object = field(repr=False)


@frozen
class Asked:
    """Where the models are listed, and by what one is let in."""

    url: str = field(repr=False)
    headers: Values = field(repr=False)
    lists_deployments: bool = True
    """Whether the names there are those that configs have."""


@frozen
class Found:
    """How a provider was found; `has_model` is None where that can't be seen."""

    works: bool
    reason: str
    has_model: bool | None = None
    seconds: float = 0.0


class UnknownPlaceError(Exception):
    """It is not known where to ask; the text says what is lacking."""


async def select_stored(connection: Connection, owner: UUID, id_: UUID) -> StoredConfig | None:
    """The owner's config."""
    sql = """
        SELECT provider.name AS provider, provider.id AS provider_id, provider.api_key,
               provider.provider_metadata, config.id, config.model, config.credentials
        FROM modelconfigs AS config
        JOIN modelproviders AS provider ON provider.id = config.provider_id
        WHERE config.creator_id = :owner AND config.id = :id
    """
    row = await connection.fetch_one(sql, {"owner": owner, "id": id_})
    return StoredConfig(**columns(row)) if row else None


def unseal(vault: Vault, stored: StoredConfig) -> Asked:
    """Whom to ask. Raises UndecryptableError, UnknownPlaceError."""
    id_, sealed = stored.provider_id, stored.api_key
    options = {
        **open_options(vault, CREDENTIALS, stored.id, stored.credentials),
        **open_options(vault, METADATA, id_, stored.provider_metadata),
    }
    key = vault.decrypt(sealed, "modelproviders", id_, "api_key") if sealed else ""
    return find_place(stored.provider, options, key)


def find_place(provider: str, options: Mapping[str, Any], key: str) -> Asked:
    """Where a provider of this name lists its models. Raises UnknownPlaceError."""
    name = provider.strip().lower()
    base = _text(options, "base_url")
    if needs_no_key(name):
        return Asked(f"{(base or OLLAMA).removesuffix('/v1')}/api/tags", {})
    if "azure" in name:
        endpoint = _text(options, "endpoint", "azure_endpoint") or base
        if not endpoint:
            raise UnknownPlaceError(NO_ENDPOINT)
        version = _text(options, "api_version") or AZURE_VERSION
        query = httpx2.QueryParams({"api-version": version})
        url = f"{endpoint}/openai/models?{query}"
        return Asked(url, {"api-key": key.strip()}, lists_deployments=False)
    if not base and name != "openai":
        raise UnknownPlaceError(NO_PLACE)
    return Asked(f"{base or OPENAI}/models", {"Authorization": f"Bearer {key.strip()}"})


def _text(options: Mapping[str, Any], *names: str) -> str:
    found = (options.get(name) for name in names)
    texts = (each.strip().rstrip("/") for each in found if isinstance(each, str))
    return next(filter(None, texts), "")


async def try_out(outbound: Outbound, asked: Asked, model: str) -> Found:
    """Ask for the models. Whatever comes of it is told; nothing is kept."""
    begun = time.monotonic()
    try:
        _check_headers(asked.headers)
        url = str(read_url(asked.url))
        credentials = Credentials(url, asked.headers)
        async with outbound.visit(TRIAL_BYTES, TRIAL_SECONDS, credentials) as http:
            answer = await http.get(url)
    except UnreachableError as error:
        return Found(works=False, reason=_sentence(error), seconds=time.monotonic() - begun)
    seconds = time.monotonic() - begun
    if answer.status_code in {401, 403}:
        return Found(works=False, reason=NOT_LET_IN, seconds=seconds)
    if not answer.is_success:
        return Found(works=False, reason=_sentence(describe_answer(answer)), seconds=seconds)
    names = await anyio.to_thread.run_sync(_read_names, answer.content)
    if names is None:
        return Found(works=False, reason=NO_LIST, seconds=seconds)
    if not asked.lists_deployments:
        return Found(works=True, reason=WORKS_UNKNOWN, seconds=seconds)
    has_model = bool(names & {model, f"{model}:latest"})
    reason = WORKS if has_model else WORKS_UNLISTED
    return Found(works=True, reason=reason, has_model=has_model, seconds=seconds)


def _check_headers(headers: Values) -> None:
    if not all(each.isascii() and each.isprintable() for each in headers.values()):
        raise UnreachableError(UNSENDABLE)


def _sentence(error: UnreachableError) -> str:
    """Without what the other side has said."""
    cause = str(error)
    return f"{cause[0].upper()}{cause[1:]}"


def _read_names(content: bytes) -> set[str] | None:
    """The models of a list; None where it is none."""
    try:
        told = read_json(content)
    except ValueError:
        return None
    match told:
        case {"data": list(models)} | {"models": list(models)}:
            ids = [each.get("id", each.get("name")) for each in models if isinstance(each, dict)]
            return {each for each in ids if isinstance(each, str)}
    return None
