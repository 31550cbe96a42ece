"""What clients send about providers and configs, and what they are told."""

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from attrs import field, frozen
from msgspec import Meta

from gateway.llms.prompt import DEFAULT_SYSTEM_PROMPT
from gateway.web.paging import Limit, Offset
from shared.secrets import REDACTED

KEYLESS_PROVIDER = "ollama"
DEFAULT_TEMPERATURE = 0.7

Name = Annotated[str, Meta(max_length=255)]
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

    name: Name
    api_key: Annotated[str, Meta(max_length=4096)] | None = None
    metadata: Options | None = None

    @property
    def key(self) -> str | None:
        """The key to store; Ollama has none, whatever was sent."""
        return None if self.is_keyless else self.api_key or None

    @property
    def is_keyless(self) -> bool:
        """Whether this provider works without a key."""
        return self.name.strip().lower() == KEYLESS_PROVIDER


@frozen
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

    forbid_extra_keys: ClassVar[bool] = True

    name: Name
    model: Name
    provider: Name
    system_prompt: Prompt | None = None
    user_prompt: Prompt | None = None
    temperature: float | None = None
    max_last_messages: MaxLastMessages | None = None
    credentials: Options | None = None


@frozen
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


@frozen
class ProviderConfigs:
    """A provider with its configs, newest first."""

    api_key: str | None
    provider: str
    metadata: dict[str, Any]
    configs: list[ModelConfig] = field(factory=list)


@frozen
class ProviderPage:
    """Which of the user's providers to list."""

    limit: Limit = 100
    offset: Offset = 0


@frozen
class SystemPrompt:
    """The prompt that a config gets by default."""

    system_prompt: str = DEFAULT_SYSTEM_PROMPT


def shown_key(stored: str | None) -> str | None:
    """What the API shows in place of a key."""
    return REDACTED if stored else None
