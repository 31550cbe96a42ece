"""What clients send about providers and configs, and what they are told."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

import attrs
from attrs import field, frozen
from msgspec import UNSET, Meta, UnsetType

from gateway.llms.prompt import DEFAULT_SYSTEM_PROMPT
from gateway.openapi.schemas import Json
from gateway.web.paging import Limit, Offset
from gateway.web.texts import is_blank
from shared.codec.hooks import Rule
from shared.domain.agents import IsShared, SharedBy
from shared.secrets import REDACTED


def must_be_seen(field: str) -> Callable[[str], str | None]:
    """The objection to a text of this field that is empty or blank."""
    return lambda text: f"'{field}' must not be empty" if is_blank(text) else None


KEYLESS_PROVIDER = "ollama"
DEFAULT_TEMPERATURE = 0.7

SEEN = Meta(min_length=1, pattern=r"\S")
Name = Annotated[str, Meta(max_length=255)]
ConfigName = Annotated[Name, Rule(must_be_seen("name")), SEEN]
ModelName = Annotated[Name, Rule(must_be_seen("model")), SEEN]
ApiKey = Annotated[str, Meta(max_length=4096)]
Prompt = Annotated[str, Meta(max_length=64 * 1024)]
Options = Annotated[dict[str, Any], Meta(max_length=50)]
MaxLastMessages = Annotated[
    int,
    Meta(
        ge=0,
        le=20,
        extra={"error": "'max_last_messages' value must be 0 ≤ max_last_messages ≤ 20"},
    ),
]


@frozen
class NewProvider:
    """A provider; each but Ollama needs a key."""

    example: ClassVar[Json] = {"name": "openai", "api_key": "sk-0123456789", "metadata": {}}
    added_schema: ClassVar[Json] = {
        "if": {"properties": {"name": {"not": {"pattern": r"^\s*[Oo][Ll][Ll][Aa][Mm][Aa]\s*$"}}}},
        "then": {
            "properties": {"api_key": {"type": "string", "minLength": 1, "pattern": r"\S"}},
            "required": ["api_key"],
        },
    }

    name: Name
    api_key: ApiKey | None = None
    metadata: Options | None = None

    @property
    def key(self) -> str | None:
        """The key to store; Ollama has none, whatever was sent."""
        is_missing = self.is_keyless or self.api_key is None or is_blank(self.api_key)
        return None if is_missing else self.api_key

    @property
    def is_keyless(self) -> bool:
        """Whether this provider works without a key."""
        return needs_no_key(self.name)


@frozen
class ProviderChanges:
    """What to change of a provider; what is left out or null stays.

    A key of asterisks only is the one that was shown, and leaves the stored one too.
    """

    example: ClassVar[Json] = {"api_key": "sk-9876543210", "metadata": {}}

    api_key: ApiKey | None = None
    metadata: Options | None = None

    @property
    def new_key(self) -> str | None:
        """The key to store, which may be empty, or None: the stored one stays."""
        if self.api_key is None:
            return None
        if is_blank(self.api_key):
            return ""
        return self.api_key if self.api_key.strip().strip("*") else None


@frozen(slots=False)
class Provider:
    """A stored provider; the key only shows that there is one."""

    id: UUID
    api_key: str | None
    provider: str
    metadata: dict[str, Any]
    created_at: datetime
    updated_at: datetime


@frozen
class NewModelConfig:
    """A model config of a provider, which must exist."""

    example: ClassVar[Json] = {
        "name": "quick",
        "model": "gpt-4o-mini",
        "provider": "openai",
        "system_prompt": "",
        "user_prompt": "",
        "temperature": 0.7,
        "max_last_messages": 5,
        "credentials": {},
    }
    forbid_extra_keys: ClassVar[bool] = True

    name: ConfigName
    model: ModelName
    provider: Name
    system_prompt: Prompt = ""
    user_prompt: Prompt = ""
    temperature: float | None = None
    max_last_messages: MaxLastMessages = 5
    credentials: Options = field(factory=dict)


@frozen
class ModelConfigChanges:
    """What to change of a model config: what is left out stays."""

    example: ClassVar[Json] = {"model": "gpt-4o", "temperature": 0.2}
    forbid_extra_keys: ClassVar[bool] = True

    name: ConfigName | UnsetType = UNSET
    model: ModelName | UnsetType = UNSET
    system_prompt: Prompt | UnsetType = UNSET
    user_prompt: Prompt | UnsetType = UNSET
    temperature: float | UnsetType = UNSET
    max_last_messages: MaxLastMessages | UnsetType = UNSET
    credentials: Options | UnsetType = UNSET


@frozen
class ProviderName:
    """One of the user's providers."""

    provider_name: Annotated[str, Meta(description="Which provider.")]


@frozen
class ModelConfigId:
    """One model config."""

    model_config_id: Annotated[UUID, Meta(description="Which config.")]


@frozen(slots=False)
class ModelConfig:
    """A stored model config."""

    id: UUID
    name: str
    model: str
    system_prompt: str
    temperature: float
    credentials: dict[str, Any]
    user_prompt: str
    max_last_messages: int
    owner: SharedBy = UNSET
    shared: IsShared = UNSET


@frozen(slots=False)
class Trial:
    """What came of asking a config's provider which models it has, and in words.

    `has_model` is null where that can't be seen; `seconds` is how long the provider took.
    """

    id: UUID
    provider: str
    model: str
    works: bool
    reason: str
    has_model: bool | None
    seconds: float


@frozen(slots=False)
class ProviderConfigs:
    """A provider with its configs."""

    api_key: str | None
    provider: str
    metadata: dict[str, Any]
    configs: list[ModelConfig] = field(factory=list)


@frozen
class ProviderPage:
    """Which of the user's providers to list, or of configs that others share with him."""

    limit: Limit = 100
    offset: Offset = 0
    shared: Annotated[
        bool,
        Meta(
            description="Whether to list what other users share with the caller through groups, in "
            "place of his own: each config by itself, without the key, metadata and credentials. "
            "Its name, by which chats name it, has `@` and that of its `owner` at the end."
        ),
    ] = False


@frozen(slots=False)
class SystemPrompt:
    """The prompt that a config gets by default."""

    system_prompt: str = DEFAULT_SYSTEM_PROMPT


def stored_columns(config: NewModelConfig | ModelConfigChanges) -> dict[str, Any]:
    """A value for each column of a config; None where a change leaves what is stored."""
    given = attrs.asdict(config, recurse=False)
    return {column: _stored(column, value) for column, value in given.items()}


def _stored(column: str, value: Any) -> Any:
    match column, value:
        case _, UnsetType():
            return None
        case "system_prompt", str() if is_blank(value):
            return DEFAULT_SYSTEM_PROMPT
        case "temperature", None:
            return DEFAULT_TEMPERATURE
        case "name" | "user_prompt", str():
            return value.strip()
        case "credentials", dict():  # texts only, as the original kept them
            return {key: text.strip() for key, text in value.items() if isinstance(text, str)}
    return value


def needs_no_key(provider: str) -> bool:
    """Whether a provider of this name works without a key."""
    return provider.strip().lower() == KEYLESS_PROVIDER


def shown_key(stored: str | None) -> str | None:
    """What the API shows in place of a key."""
    return REDACTED if stored else None
