"""What the master agent is given: two generations of it, each with a signature of its own."""

from typing import Any, Literal
from uuid import UUID

from attrs import field, frozen
from msgspec import UNSET, UnsetType

from agent_bridge.router.frames import Rejection
from agent_bridge.router.signatures import is_mismatch
from agent_bridge.usage.metering import Model
from shared.codec.converter import dump, unstructure
from shared.codec.text import write_json
from shared.domain.frames import FileMetadata
from shared.settings.readers import Contract

type Form = Literal["enriched", "lookup"]

HEAD_BYTES = 512  # of a frame, besides its payload
PARTS = {
    "message": "the message",
    "agents": "what agents and flows say of themselves",
    "configs": "the model config with its provider's metadata",
    "files": "the list of files",
}


@frozen
class CallableAgent:
    """An agent that the master agent may call, or a flow of several."""

    agent_id: UUID
    agent_name: str
    agent_description: str
    agent_schema: dict[str, Any]
    flow: list[UUID] | UnsetType = UNSET


@frozen
class Invocation:
    """All that a request needs, whichever form the master agent wants."""

    user_id: UUID
    session_id: UUID
    message: str
    configs: dict[str, Any] = field(repr=False)
    files: list[FileMetadata]
    agents: list[CallableAgent]
    timestamp: int
    """When it is sent, in POSIX seconds."""

    @property
    def model(self) -> Model:
        """The one of its model config."""
        return Model(str(self.configs["model"]), str(self.configs["provider"]))


def payload(form: Form, invocation: Invocation) -> dict[str, Any]:
    """The `request_payload` in the form of one generation; null values are left out."""
    configs = {name: value for name, value in invocation.configs.items() if value is not None}
    if form == "enriched":
        return {
            "message": invocation.message,
            "agents": unstructure(invocation.agents),
            "configs": {"llm": configs},
            "files": unstructure(invocation.files),
        }
    return {
        "user_id": str(invocation.user_id),
        "session_id": str(invocation.session_id),
        "timestamp": invocation.timestamp,
        "configs": configs,
        "files": unstructure(invocation.files),
    }


def payload_size(content: dict[str, Any]) -> int:
    """The bytes of the frame that carries it, about."""
    return len(write_json(content)) + HEAD_BYTES


def explain_size(content: dict[str, Any], most_bytes: int) -> str:
    """Why a payload is not sent: its largest part, in words of who sent the message."""
    sizes = {name: len(dump(content[name])) for name in PARTS if name in content}
    largest = max(sizes, key=sizes.__getitem__)
    return (
        f"The message can't be sent: with its agents, files and model config it may have at most"
        f" {most_bytes // 1024:,} KB, and {PARTS[largest]} has {sizes[largest] // 1024:,} KB"
    )


def first_form(contract: Contract, remembered: Form | None) -> Form:
    """The form to send: the one that is set, or the one that worked last."""
    if contract == "auto":
        return remembered or "enriched"
    return contract


def other_form(contract: Contract, sent: Form, rejection: Rejection) -> Form | None:
    """The form to send at once after this rejection, if that is what was wrong."""
    if contract != "auto" or not is_mismatch(rejection.message):
        return None
    return "lookup" if sent == "enriched" else "enriched"
